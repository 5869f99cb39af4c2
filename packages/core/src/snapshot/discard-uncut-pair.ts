import { AbortScope } from '../internal/abort-scope.ts';
import { type KubernetesObject, type ObjectReference, referenceTo } from '../model/kubernetes.ts';
import { objectAt, stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import { discardSnapshot } from './discard-snapshot.ts';
import { contentNameFor, type LeftoverPair } from './leftover-pair.ts';
import { observeObject } from './observe-object.ts';
import { type SnapshotObjectKind, TrackedSnapshot } from './tracked-snapshot.ts';

/**
 * Discards a snapshot that has no handle yet, whether or not it gets one meanwhile, with its objects. Not bounded in time: give
 * it a deadline.
 */
export async function discardUncutPair(
  {
    cluster,
    clock,
    pair,
  }: { readonly cluster: Cluster; readonly clock: Clock; readonly pair: LeftoverPair },
  signal: AbortSignal,
): Promise<void> {
  const volumeSnapshot = pair.volumeSnapshot ?? ownerOf(pair.volumeSnapshotContent);
  if (volumeSnapshot === undefined) {
    return;
  }
  const tracked = new TrackedSnapshot();
  using scope = new AbortScope(signal);
  const name = pair.volumeSnapshotContent?.metadata.name ?? contentNameFor(volumeSnapshot);
  const follows = Promise.all([
    follow(
      cluster,
      tracked,
      'volumeSnapshot',
      referenceTo(Resources.volumeSnapshots, volumeSnapshot),
      { known: pair.volumeSnapshot, signal: scope.signal },
    ),
    follow(
      cluster,
      tracked,
      'volumeSnapshotContent',
      { ...Resources.volumeSnapshotContents, name },
      { known: undefined, signal: scope.signal },
    ),
  ]);
  try {
    await discardSnapshot({ cluster, clock, tracked, volumeSnapshot }, { signal });
  } finally {
    scope.abort(undefined);
    await follows;
  }
}

/** The VolumeSnapshot that a content was made for, as far as the content tells of it. */
function ownerOf(content: KubernetesObject | undefined): KubernetesObject | undefined {
  const reference = content && objectAt(content, ['spec', 'volumeSnapshotRef']);
  const name = reference && stringAt(reference, ['name']);
  const namespace = reference && stringAt(reference, ['namespace']);
  const uid = reference && stringAt(reference, ['uid']);
  return content === undefined || name === undefined || namespace === undefined
    ? undefined
    : {
        apiVersion: content.apiVersion,
        kind: 'VolumeSnapshot',
        metadata: { name, namespace, ...(uid === undefined ? {} : { uid }) },
        status: { boundVolumeSnapshotContentName: content.metadata.name },
      };
}

/**
 * Keeps what is remembered of an object, known or not, up to date until the signal aborts. Never rejects: a watch that fails ends
 * the waits.
 */
async function follow(
  cluster: Cluster,
  tracked: TrackedSnapshot,
  kind: SnapshotObjectKind,
  reference: ObjectReference,
  { known, signal }: { readonly known: KubernetesObject | undefined; readonly signal: AbortSignal },
): Promise<void> {
  let last = known;
  if (known !== undefined) {
    tracked.update(kind, known);
  }
  try {
    for await (const object of observeObject(cluster, reference, { signal })) {
      if (object === undefined) {
        if (last !== undefined) {
          tracked.remove(kind, last);
        }
      } else {
        tracked.update(kind, object);
      }
      last = object;
    }
  } catch (error) {
    tracked.fail(error);
  }
}
