import { isLifeboatError, messageOf } from '../errors.ts';
import { onceReachable } from '../internal/once-reachable.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { LifeboatLabel } from '../model/labels.ts';
import { numberAt, stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { CutGroupSnapshot } from './cut-group-snapshot.ts';
import { claimNameOf } from './group-manifests.ts';
import type { GroupIdentity, GroupObjects } from './group-objects.ts';
import type { GroupSnapshotContext } from './group-snapshot-context.ts';
import {
  type CutGroupMember,
  type GroupSnapshotStep,
  groupHandleOf,
} from './group-snapshot-step.ts';
import { keepPatch } from './manifests.ts';
import type { ReadySnapshot } from './ready-snapshot.ts';
import { releaseGroupSnapshot } from './release-group-snapshot.ts';
import { removeGroupObjects } from './remove-group-objects.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import { handleOf } from './snapshot-step.ts';

/** A claim whose volume is to be in a group. */
export interface GroupMember {
  /** The bound claim. */
  readonly claim: KubernetesObject;
  /** Its PersistentVolume, of the group's driver. */
  readonly volume: KubernetesObject;
}

/** What a {@link TakenGroupSnapshot} is made of. */
export interface TakenGroupSnapshotOptions {
  readonly context: GroupSnapshotContext;
  readonly members: readonly GroupMember[];
  readonly classDeletionPolicy: 'Delete' | 'Retain';
  readonly identity: GroupIdentity;
  /** Its objects as they stood when it was cut. */
  readonly objects: GroupObjects;
  /** Waits until it is ready, undoing it when that fails. */
  readonly untilReady: (options: CallOptions) => Promise<GroupSnapshotStep>;
  readonly onDetached: () => void;
}

/** A group that the storage has cut, with its objects in the cluster. */
export class TakenGroupSnapshot implements CutGroupSnapshot {
  readonly groupSnapshot: KubernetesObject;
  readonly groupSnapshotHandle: string;
  readonly claimNames: readonly string[];
  readonly #options: TakenGroupSnapshotOptions;
  #ready: Promise<ReadonlyMap<string, ReadySnapshot>> | undefined;
  #isDetached = false;

  /** @throws {LifeboatError} code SnapshotFailed when its objects are gone by now. */
  constructor(options: TakenGroupSnapshotOptions) {
    const { groupSnapshot, content, members } = options.objects;
    const groupSnapshotHandle = content && groupHandleOf(content);
    if (groupSnapshot === undefined || groupSnapshotHandle === undefined) {
      const { namespace, name } = options.identity;
      throw snapshotFailure('groupSnapshot', `volumegroupsnapshots ${namespace}/${name}`, {
        reason: 'it was deleted by someone else just when it was cut',
      });
    }
    this.groupSnapshot = groupSnapshot;
    this.groupSnapshotHandle = groupSnapshotHandle;
    this.claimNames = members
      .map(({ volumeSnapshot }) => claimNameOf(volumeSnapshot))
      .filter((name) => name !== undefined)
      .sort();
    this.#options = options;
  }

  ready(options: CallOptions = {}): Promise<ReadonlyMap<string, ReadySnapshot>> {
    return (this.#ready ??= this.#awaitReady(options));
  }

  async detach(options: CallOptions = {}): Promise<void> {
    await this.#within('detach', options, (signal) => this.#remove('Retain', signal));
    this.#isDetached = true;
    this.#options.onDetached();
  }

  async keep({ signal }: CallOptions = {}): Promise<void> {
    for (const snapshot of (await this.ready({ signal })).values()) {
      const reference = referenceTo(Resources.volumeSnapshots, snapshot.volumeSnapshot);
      const patch = { type: 'merge', patch: keepPatch(snapshot) } as const;
      await this.#options.context.cluster.patch(reference, patch, { signal });
    }
  }

  async discard(options: CallOptions = {}): Promise<void> {
    await this.#within('discard', options, async (signal) => {
      if (!this.#isDetached) {
        await this.#remove('Delete', signal);
        return;
      }
      const { context, objects } = this.#options;
      const { cluster, clock, resources, backupName, cleanUpTimeoutMs } = context;
      await releaseGroupSnapshot(
        {
          cluster,
          clock,
          resources,
          backupName,
          driver: stringAt(objects.content ?? {}, ['spec', 'driver']) ?? '',
          groupSnapshotHandle: this.groupSnapshotHandle,
          snapshotHandles: handlesOf(objects),
          volumeSnapshotContent: objects.members[0]?.volumeSnapshotContent,
          timeoutMs: cleanUpTimeoutMs,
        },
        { signal },
      );
    });
  }

  async #awaitReady(options: CallOptions): Promise<ReadonlyMap<string, ReadySnapshot>> {
    const step = await this.#options.untilReady(options);
    const ready = new Map<string, ReadySnapshot>();
    for (const { claim, volume } of this.#options.members) {
      const { name } = claim.metadata;
      const member = step.type === 'ready' ? step.members.get(name) : undefined;
      if (member !== undefined) {
        ready.set(name, this.#readySnapshot(claim, volume, member));
      }
    }
    return ready;
  }

  #readySnapshot(
    claim: KubernetesObject,
    volume: KubernetesObject,
    { volumeSnapshot, volumeSnapshotContent, snapshotHandle }: CutGroupMember,
  ): ReadySnapshot {
    return {
      claimNamespace: claim.metadata.namespace ?? '',
      claimName: claim.metadata.name,
      volumeName: volume.metadata.name,
      volumeSnapshot,
      volumeSnapshotContent,
      classDeletionPolicy: this.#options.classDeletionPolicy,
      driver: stringAt(volumeSnapshotContent, ['spec', 'driver']) ?? '',
      snapshotHandle,
      group: {
        snapshotHandle: this.groupSnapshotHandle,
        memberHandles: handlesOf(this.#options.objects),
      },
      restoreSizeBytes: numberAt(volumeSnapshotContent, ['status', 'restoreSize']),
      createdAt: stringAt(volumeSnapshot, ['status', 'creationTime']),
    };
  }

  async #remove(deletionPolicy: 'Delete' | 'Retain', signal: AbortSignal): Promise<void> {
    const { context, identity } = this.#options;
    const { cluster, clock } = context;
    await removeGroupObjects({ cluster, clock, identity, deletionPolicy }, { signal });
  }

  async #within(
    operation: string,
    { signal }: CallOptions,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { clock, runId, resources, cleanUpTimeoutMs } = this.#options.context;
    using deadline = withDeadline(signal, cleanUpTimeoutMs, clock);
    try {
      await onceReachable(() => work(deadline.signal), clock, deadline.signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (isLifeboatError(error, 'SnapshotFailed')) {
        throw error;
      }
      const { name, namespace } = referenceTo(resources.groupSnapshots, this.groupSnapshot);
      throw snapshotFailure(operation, `volumegroupsnapshots ${namespace ?? ''}/${name}`, {
        reason: deadline.expired
          ? `it or what belongs to it is still there after ${cleanUpTimeoutMs / 1000} s; look for label ${LifeboatLabel.run}=${runId}`
          : messageOf(error),
        cause: error,
      });
    }
  }
}

function handlesOf({ members }: GroupObjects): readonly string[] {
  return members.flatMap(({ volumeSnapshotContent: content }) =>
    content === undefined ? [] : (handleOf(content) ?? []),
  );
}
