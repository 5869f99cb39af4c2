import { LifeboatError } from '../errors.ts';
import type { GroupVersionResource, KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster, WatchOptions } from '../ports/cluster.ts';
import type { SnapshotObjectKind, TrackedSnapshot } from './tracked-snapshot.ts';

/** What {@link followSnapshotObjects} works with. */
export interface FollowSnapshotObjectsOptions
  extends Pick<WatchOptions, 'namespace' | 'labelSelector' | 'fieldSelector'> {
  readonly cluster: Cluster;
  readonly kind: SnapshotObjectKind;
  readonly signal: AbortSignal;
  /** All that is remembered of snapshots. */
  readonly tracked: () => Iterable<TrackedSnapshot>;
  /** Where to remember an object; `undefined` when nobody wants to know of it. */
  readonly trackedBy: (object: KubernetesObject) => TrackedSnapshot | undefined;
  /** Called when everything that exists has been reported, again after each restart of the watch. */
  readonly onSynced?: (() => void) | undefined;
}

/** Keeps up to date, through one watch, what is remembered of the objects of one kind. Rejects when aborted, or when the watch is over. */
export async function followSnapshotObjects(options: FollowSnapshotObjectsOptions): Promise<never> {
  const { cluster, kind, namespace, labelSelector, fieldSelector, signal } = options;
  const { trackedBy, onSynced } = options;
  const resource = resourceOf(kind);
  const watched = cluster.watch(resource, { namespace, labelSelector, fieldSelector, signal });
  let seenUids: Set<string> | undefined;
  for await (const event of watched) {
    if (event.type === 'restarted') {
      seenUids = new Set();
    } else if (event.type === 'synced') {
      await confirmUnseen(options, seenUids);
      seenUids = undefined;
      onSynced?.();
    } else if (event.type === 'deleted') {
      trackedBy(event.object)?.remove(kind, event.object);
    } else {
      seenUids?.add(event.object.metadata.uid ?? '');
      trackedBy(event.object)?.update(kind, event.object);
    }
  }
  signal.throwIfAborted();
  throw new LifeboatError(
    `snapshot: the watch of ${resource.resource} on ${cluster.location} ended`,
    { code: 'Unavailable', operation: 'snapshot', retryable: true },
  );
}

// What a restarted watch no longer reports was deleted meanwhile, or was created after its list was taken.
async function confirmUnseen(
  { cluster, kind, signal, tracked }: FollowSnapshotObjectsOptions,
  seenUids: ReadonlySet<string> | undefined,
): Promise<void> {
  for (const each of seenUids === undefined ? [] : tracked()) {
    const object = each[kind];
    if (object === undefined || seenUids?.has(object.metadata.uid ?? '')) {
      continue;
    }
    const { name, namespace, uid } = object.metadata;
    const found = await cluster.get({ ...resourceOf(kind), name, namespace }, { signal });
    if (found?.metadata.uid !== uid) {
      each.remove(kind, object);
    }
  }
}

function resourceOf(kind: SnapshotObjectKind): GroupVersionResource {
  return kind === 'volumeSnapshot' ? Resources.volumeSnapshots : Resources.volumeSnapshotContents;
}
