import { isLifeboatError } from '../errors.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { JsonObject } from '../model/json.ts';
import {
  type GroupVersionResource,
  type KubernetesObject,
  referenceTo,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { deleteIfSame } from './delete-if-same.ts';
import { discardUncutPair } from './discard-uncut-pair.ts';
import { type LeftoverPair, snapshotHandleOf } from './leftover-pair.ts';
import { untilGone } from './observe-object.ts';
import { releaseSnapshot } from './release-snapshot.ts';
import { describeSnapshotObject, snapshotFailure } from './snapshot-failure.ts';

/** What {@link removeLeftoverPair} and {@link freeLeftoverPair} work on. */
export interface LeftoverPairRequest {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly pair: LeftoverPair;
  /** The backup as the label of the pair names it. */
  readonly backupName: string;
  /** How long the objects may take to go. @default 60000 */
  readonly timeoutMs?: number | undefined;
}

/**
 * Deletes the objects of a pair and resolves when they are gone; the storage snapshot stays. Objects that were being deleted
 * already and still do not go lose the finalizers of the snapshot controllers, which nobody seems to serve.
 *
 * @throws {ClusterError} code Conflict, with nothing done, when the content has changed since it was read.
 * @throws {LifeboatError} code SnapshotFailed when the objects are still there after `timeoutMs`.
 */
export async function removeLeftoverPair(
  request: LeftoverPairRequest,
  { signal }: CallOptions = {},
): Promise<void> {
  const { cluster, clock, pair, timeoutMs = defaultTimeoutMs } = request;
  await within(request, signal, async (workSignal) => {
    await setRetain(cluster, pair, workSignal);
    await deletePair(cluster, pair, workSignal);
    if (isBeingDeleted(pair)) {
      using patience = withDeadline(workSignal, timeoutMs / 2, clock);
      try {
        await untilPairGone(cluster, pair, patience.signal);
        return;
      } catch (error) {
        if (!patience.expired) {
          throw error;
        }
      }
      await dropFinalizers(cluster, pair, workSignal);
    }
    await untilPairGone(cluster, pair, workSignal);
  });
}

/**
 * Frees the storage snapshot of a pair, whether it is cut already or about to be, then deletes the objects, and resolves when
 * all of them are gone.
 *
 * @throws {ClusterError} code Conflict, with nothing done, when the content has changed since it was read.
 * @throws {LifeboatError} code SnapshotFailed when the driver did not free it, or the objects are still there after
 * `timeoutMs`.
 */
export async function freeLeftoverPair(
  request: LeftoverPairRequest,
  { signal }: CallOptions = {},
): Promise<void> {
  const { cluster, clock, pair, backupName, timeoutMs } = request;
  const snapshot = snapshotHandleOf(pair);
  if (snapshot === undefined) {
    await within(request, signal, (workSignal) => discardUncutPair(request, workSignal));
    return;
  }
  await setRetain(cluster, pair, signal);
  await releaseSnapshot(
    {
      cluster,
      clock,
      backupName,
      ...snapshot,
      volumeSnapshotContent: pair.volumeSnapshotContent,
      timeoutMs,
    },
    { signal },
  );
  // What follows cannot say that something has changed: the content has, by our own hand.
  const { volumeSnapshotContent: content } = pair;
  const live =
    content &&
    (await cluster.get(referenceTo(Resources.volumeSnapshotContents, content), { signal }));
  const isSame = live?.metadata.uid === content?.metadata.uid;
  const volumeSnapshotContent = isSame ? live : undefined;
  await removeLeftoverPair({ ...request, pair: { ...pair, volumeSnapshotContent } }, { signal });
}

const defaultTimeoutMs = 60_000;

function within(
  { clock, pair, timeoutMs = defaultTimeoutMs }: LeftoverPairRequest,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  return withinRemoval({ clock, timeoutMs, target: describePair(pair) }, signal, work);
}

/** Bounds the removal of leftovers in time, and tells what is still there. */
export async function withinRemoval(
  {
    clock,
    timeoutMs,
    target,
  }: { readonly clock: Clock; readonly timeoutMs: number; readonly target: string },
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  using deadline = withDeadline(signal, timeoutMs, clock);
  try {
    await work(deadline.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!deadline.expired) {
      throw error;
    }
    throw snapshotFailure('removeLeftovers', target, {
      reason: `still there after ${timeoutMs / 1_000} s: check that the snapshot-controller and the csi-snapshotter sidecar of the driver are running`,
      cause: error,
    });
  }
}

/** Sets policy Retain, provided that the content is still the one that was read. A content that is gone is success. */
async function setRetain(
  cluster: Cluster,
  { volumeSnapshotContent: content }: LeftoverPair,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (content !== undefined) {
    await retainIfSame(cluster, Resources.volumeSnapshotContents, content, signal);
  }
}

/**
 * Gives a content policy Retain. One that is gone is success.
 *
 * @throws {ClusterError} code Conflict when it has changed since it was read.
 */
export async function retainIfSame(
  cluster: Cluster,
  resource: GroupVersionResource,
  content: KubernetesObject,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { resourceVersion = '' } = content.metadata;
  const patch: JsonObject = { metadata: { resourceVersion }, spec: { deletionPolicy: 'Retain' } };
  await patchIfThere(cluster, resource, content, patch, signal);
}

async function deletePair(
  cluster: Cluster,
  { volumeSnapshot, volumeSnapshotContent }: LeftoverPair,
  signal: AbortSignal,
): Promise<void> {
  if (volumeSnapshotContent !== undefined) {
    const reference = referenceTo(Resources.volumeSnapshotContents, volumeSnapshotContent);
    await deleteIfSame(cluster, reference, volumeSnapshotContent, { signal });
  }
  if (volumeSnapshot !== undefined) {
    const reference = referenceTo(Resources.volumeSnapshots, volumeSnapshot);
    await deleteIfSame(cluster, reference, volumeSnapshot, { signal });
  }
}

async function untilPairGone(
  cluster: Cluster,
  { volumeSnapshot, volumeSnapshotContent }: LeftoverPair,
  signal: AbortSignal,
): Promise<void> {
  if (volumeSnapshot !== undefined) {
    await untilGone(cluster, Resources.volumeSnapshots, volumeSnapshot, { signal });
  }
  if (volumeSnapshotContent !== undefined) {
    await untilGone(cluster, Resources.volumeSnapshotContents, volumeSnapshotContent, { signal });
  }
}

function isBeingDeleted({ volumeSnapshot, volumeSnapshotContent }: LeftoverPair): boolean {
  return [volumeSnapshot, volumeSnapshotContent].some(
    (object) => object?.metadata.deletionTimestamp !== undefined,
  );
}

const snapshotFinalizers = [
  'snapshot.storage.kubernetes.io/',
  'groupsnapshot.storage.kubernetes.io/',
] as const;

async function dropFinalizers(
  cluster: Cluster,
  { volumeSnapshot, volumeSnapshotContent }: LeftoverPair,
  signal: AbortSignal,
): Promise<void> {
  await dropFinalizersOf(cluster, Resources.volumeSnapshots, volumeSnapshot, signal);
  await dropFinalizersOf(cluster, Resources.volumeSnapshotContents, volumeSnapshotContent, signal);
}

/** Takes the finalizers of the snapshot controllers from this very object. One that is gone is success. */
export async function dropFinalizersOf(
  cluster: Cluster,
  resource: GroupVersionResource,
  object: KubernetesObject | undefined,
  signal: AbortSignal,
): Promise<void> {
  const live = object && (await cluster.get(referenceTo(resource, object), { signal }));
  if (live === undefined || live.metadata.uid !== object?.metadata.uid) {
    return;
  }
  const { resourceVersion = '', finalizers = [] } = live.metadata;
  const kept = finalizers.filter(
    (finalizer) => !snapshotFinalizers.some((prefix) => finalizer.startsWith(prefix)),
  );
  const patch: JsonObject = { metadata: { resourceVersion, finalizers: kept } };
  await patchIfThere(cluster, resource, live, patch, signal);
}

async function patchIfThere(
  cluster: Cluster,
  resource: GroupVersionResource,
  object: KubernetesObject,
  patch: JsonObject,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await cluster.patch(referenceTo(resource, object), { type: 'merge', patch }, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'NotFound')) {
      throw error;
    }
  }
}

function describePair({ volumeSnapshot, volumeSnapshotContent }: LeftoverPair): string {
  return [
    volumeSnapshot && describeSnapshotObject(volumeSnapshot),
    volumeSnapshotContent && describeSnapshotObject(volumeSnapshotContent),
  ]
    .filter((text) => text !== undefined)
    .join(' and ');
}
