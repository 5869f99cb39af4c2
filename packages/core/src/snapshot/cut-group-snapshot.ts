import type { KubernetesObject } from '../model/kubernetes.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { ReadySnapshot } from './ready-snapshot.ts';

/**
 * A group whose snapshots the storage has cut, all of one moment. Its objects stand, with policy Retain, until the group is
 * detached or discarded: while they do, its snapshots can be freed in one call, and none of them alone.
 */
export interface CutGroupSnapshot {
  readonly groupSnapshot: KubernetesObject;
  readonly groupSnapshotHandle: string;
  /** The claims whose volumes are in it, sorted; more than were asked for when the label is on more claims. */
  readonly claimNames: readonly string[];

  /**
   * Resolves, with a snapshot for each claim by its name, when all of them are ready to use; `readyTimeoutMs` counts from when
   * they were cut. Failed or aborted: the group is freed before the call rejects.
   *
   * @throws {LifeboatError} code SnapshotFailed: an error of the driver stood too long, time ran out, or an object was deleted
   * meanwhile.
   */
  ready(options?: CallOptions): Promise<ReadonlyMap<string, ReadySnapshot>>;

  /**
   * Deletes every object of the group and waits until they are gone; the storage snapshots stay. Repeated calls are success.
   *
   * @throws {LifeboatError} code SnapshotFailed naming what is still there after `cleanUpTimeoutMs`.
   */
  detach(options?: CallOptions): Promise<void>;

  /**
   * Leaves the objects of the group in the cluster, with policy Retain, the VolumeSnapshots annotated as Velero does.
   *
   * @throws {ClusterError} code NotFound when somebody deleted a VolumeSnapshot.
   */
  keep(options?: CallOptions): Promise<void>;

  /**
   * Frees the storage snapshots of the whole group, and its objects. Repeated calls are success, also after
   * {@link CutGroupSnapshot.detach}.
   *
   * @throws {LifeboatError} code SnapshotFailed naming what is still there after `cleanUpTimeoutMs`.
   */
  discard(options?: CallOptions): Promise<void>;
}
