import type { KubernetesObject } from '../model/kubernetes.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { CutGroupSnapshot } from './cut-group-snapshot.ts';
import type { GroupSnapshotContext } from './group-snapshot-context.ts';
import { type TakeGroupSnapshotRequest, takeGroupSnapshot } from './take-group-snapshot.ts';

/** The group snapshots of one backup run, in a cluster that serves VolumeGroupSnapshots. Calls may run concurrently. */
export class GroupSnapshotSession {
  readonly #context: GroupSnapshotContext;
  #classes: Promise<readonly KubernetesObject[]> | undefined;

  constructor(context: GroupSnapshotContext) {
    this.#context = context;
  }

  /** The VolumeGroupSnapshotClasses of the cluster, read once. */
  classes({ signal }: CallOptions = {}): Promise<readonly KubernetesObject[]> {
    const { cluster, resources } = this.#context;
    return (this.#classes ??= Array.fromAsync(cluster.list(resources.classes, { signal })));
  }

  /**
   * Takes the snapshots of all claims of a group as of one moment, and resolves when the storage has cut them. Failed or
   * aborted: what was made is removed again, storage snapshots included, before the call rejects.
   *
   * @throws {LifeboatError} code SnapshotFailed with the reason, and with what could not be undone.
   */
  request(request: TakeGroupSnapshotRequest, options: CallOptions = {}): Promise<CutGroupSnapshot> {
    return takeGroupSnapshot(this.#context, request, options);
  }
}
