import { randomUUID } from 'node:crypto';
import { isLifeboatError } from '../errors.ts';
import type { JsonObject } from '../model/json.ts';
import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { objectAt, stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { deleteIfSame } from './delete-if-same.ts';
import { releasePatch } from './manifests.ts';
import { reportOrMoment } from './report-or-moment.ts';
import { beingCreatedAnnotation, errorOf } from './snapshot-step.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/** What {@link discardSnapshot} works on. */
export interface DiscardSnapshotRequest {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly tracked: TrackedSnapshot;
  readonly volumeSnapshot: KubernetesObject;
  /** How long a content may take to get its finalizer, in milliseconds. @default 2000 */
  readonly finalizerTimeoutMs?: number | undefined;
}

/**
 * Deletes a VolumeSnapshot together with its content and its storage snapshot, whatever the policy of its class, and
 * resolves when all are gone. Missing objects are success. Not bounded in time: give it a deadline.
 */
export async function discardSnapshot(
  request: DiscardSnapshotRequest,
  { signal }: CallOptions,
): Promise<void> {
  const { cluster, tracked, volumeSnapshot } = request;
  const bound = await findContent(cluster, volumeSnapshot, signal);
  await patchContent(cluster, bound, releasePatch, signal);
  if (bound === undefined || !isGuarded(bound)) {
    await untilGuarded(request, signal);
  }
  await deleteAsSeen(request, signal);
  await untilGone(request, () => isOrphaned(request), signal);
  const content = await findContent(cluster, volumeSnapshot, signal);
  if (content !== undefined) {
    tracked.seed('volumeSnapshotContent', content);
  }
  await untilGone(request, () => !isMadeFor(tracked.volumeSnapshotContent, volumeSnapshot), signal);
}

/** Whether the VolumeSnapshot is gone, so that nobody but us sees to its content. */
function isOrphaned({ tracked, volumeSnapshot }: DiscardSnapshotRequest): boolean {
  return tracked.volumeSnapshot?.metadata.uid !== volumeSnapshot.metadata.uid;
}

/**
 * Waits a moment for a content that has its finalizer, unless the controller has said why there is none. A content that is
 * deleted before is gone at once, while the sidecar may have called the driver already: it can tell nobody then what the storage
 * has cut.
 */
async function untilGuarded(
  request: DiscardSnapshotRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { clock, tracked, volumeSnapshot, finalizerTimeoutMs = 2_000 } = request;
  const untilMs = clock.now().getTime() + finalizerTimeoutMs;
  while (!isOrphaned(request) && clock.now().getTime() < untilMs) {
    const content = tracked.volumeSnapshotContent;
    if (isMadeFor(content, volumeSnapshot) ? isGuarded(content) : hasFailed(tracked)) {
      return;
    }
    await reportOrMoment(tracked, untilMs, clock, signal);
  }
}

function isGuarded({ metadata: { finalizers = [] } }: KubernetesObject): boolean {
  return finalizers.includes(finalizer);
}

function hasFailed({ volumeSnapshot }: TrackedSnapshot): boolean {
  return errorOf(volumeSnapshot) !== undefined;
}

/**
 * Deletes the VolumeSnapshot as it was last seen, and as it is seen next when it has changed. A server that begins to delete an
 * object without finalizers lets it go even if it gets one meanwhile, unless it is told of which version it shall: the
 * snapshot-controller, which has just put its finalizer on, would then make a content for a VolumeSnapshot that is gone, later
 * than anybody looks for it (seen with Kubernetes 1.36 and external-snapshotter 8.7).
 */
async function deleteAsSeen(
  request: DiscardSnapshotRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { cluster, tracked, volumeSnapshot } = request;
  const { uid } = volumeSnapshot.metadata;
  const reference = referenceTo(Resources.volumeSnapshots, volumeSnapshot);
  for (;;) {
    const seen = isOrphaned(request) ? undefined : tracked.volumeSnapshot;
    const { resourceVersion } = (seen ?? volumeSnapshot).metadata;
    try {
      await cluster.delete(reference, { uid, resourceVersion, signal });
      return;
    } catch (error) {
      if (!isLifeboatError(error, 'Conflict')) {
        throw error;
      }
    }
    if (isOrphaned(request)) {
      return;
    }
    while (tracked.volumeSnapshot === seen) {
      await tracked.changed({ signal });
    }
  }
}

const forgottenMs = 1_000;
const untouchedMs = 4_000;
const wakeAnnotation = 'lifeboat.dev/wake';

async function untilGone(
  request: DiscardSnapshotRequest,
  isGone: () => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { cluster, clock, tracked, volumeSnapshot } = request;
  let isWoken = false;
  let deleted: KubernetesObject | undefined;
  while (!isGone()) {
    const content = tracked.volumeSnapshotContent;
    if (content !== deleted && isOrphaned(request) && isToBeDeleted(content, volumeSnapshot)) {
      deleted = content;
      await deleteOrphan(cluster, content, signal);
      continue;
    }
    if (!isForgettable(content) || (isWoken && !isUntouched(content))) {
      await tracked.changed({ signal });
      continue;
    }
    const patienceMs = isWoken ? untouchedMs : forgottenMs;
    await reportOrMoment(tracked, clock.now().getTime() + patienceMs, clock, signal);
    if (tracked.volumeSnapshotContent !== content) {
      continue;
    }
    if (isWoken) {
      await letGo(cluster, content, signal);
    } else {
      isWoken = true;
      const wake = { metadata: { annotations: { [wakeAnnotation]: randomUUID() } } };
      await patchContent(cluster, content, wake, signal);
    }
  }
}

/**
 * Whether the sidecar may have overlooked a content that it should delete: one whose deletion it could not begin because the
 * storage was still cutting. That it has been cut since is written in an annotation, a change to which the sidecar pays no
 * heed until it looks at everything again, by default every 15 minutes; any other change makes it look (external-snapshotter
 * 8.7: ShouldEnqueueContentChange).
 */
function isForgettable(content: KubernetesObject | undefined): boolean {
  const annotations = content?.metadata.annotations ?? {};
  return (
    content?.metadata.deletionTimestamp !== undefined &&
    Object.hasOwn(annotations, beingDeleted) &&
    !Object.hasOwn(annotations, beingCreatedAnnotation)
  );
}

/**
 * Whether no sidecar has ever worked on a content: it marks a content before it calls the driver, and writes a status after.
 * Where a driver has none, nobody else lets such a content go.
 */
function isUntouched(content: KubernetesObject | undefined): boolean {
  return (
    content !== undefined &&
    objectAt(content, ['status']) === undefined &&
    !Object.hasOwn(content.metadata.annotations ?? {}, beingCreatedAnnotation)
  );
}

const finalizer = 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection';

// It is being deleted, so a sidecar that wakes up now no longer calls the driver; one that has touched it meanwhile makes this
// a conflict.
async function letGo(
  cluster: Cluster,
  content: KubernetesObject | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { finalizers = [] } = content?.metadata ?? {};
  const metadata = {
    ...ifStill(content),
    finalizers: finalizers.filter((name) => name !== finalizer),
  };
  try {
    await patchContent(cluster, content, { metadata }, signal);
  } catch (error) {
    if (!isLifeboatError(error, 'Conflict')) {
      throw error;
    }
  }
}

// The snapshot-controller names a content after the VolumeSnapshot's uid and marks its deletion with an annotation
// (external-snapshotter: pkg/utils/util.go).
const beingDeleted = 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted';

/** The content that was made for a VolumeSnapshot, also when that does not name it yet. */
async function findContent(
  cluster: Cluster,
  volumeSnapshot: KubernetesObject,
  signal: AbortSignal | undefined,
): Promise<KubernetesObject | undefined> {
  const { uid = '' } = volumeSnapshot.metadata;
  const name =
    stringAt(volumeSnapshot, ['status', 'boundVolumeSnapshotContentName']) ?? `snapcontent-${uid}`;
  const content = await cluster.get({ ...Resources.volumeSnapshotContents, name }, { signal });
  return isMadeFor(content, volumeSnapshot) ? content : undefined;
}

/** Not for another VolumeSnapshot that has had the name before, or has it now. */
function isMadeFor(
  content: KubernetesObject | undefined,
  { metadata: { uid } }: KubernetesObject,
): content is KubernetesObject {
  return content !== undefined && stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']) === uid;
}

/**
 * Whether nobody has said of a content yet that it shall go, or what was said is lost: the sidecar writes the annotations of a
 * content as a whole when it begins to work on it, as it last saw them, and wipes out a mark that the snapshot-controller has
 * just set (external-snapshotter 8.7: setAnnVolumeSnapshotBeingCreated). While the VolumeSnapshot exists, the controller sets
 * it again.
 */
function isToBeDeleted(
  content: KubernetesObject | undefined,
  volumeSnapshot: KubernetesObject,
): content is KubernetesObject {
  return (
    isMadeFor(content, volumeSnapshot) &&
    (content.metadata.deletionTimestamp === undefined ||
      !Object.hasOwn(content.metadata.annotations ?? {}, beingDeleted))
  );
}

// A content that outlives its VolumeSnapshot is nobody's: the sidecar lets go of such a one only when it is marked as the
// controller would have marked it. One that has no finalizer yet gets it, or it would be gone before the sidecar sees the mark.
async function deleteOrphan(
  cluster: Cluster,
  content: KubernetesObject,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { deletionTimestamp, finalizers = [] } = content.metadata;
  const guard =
    isGuarded(content) || deletionTimestamp !== undefined
      ? {}
      : { ...ifStill(content), finalizers: [...finalizers, finalizer] };
  const metadata = { annotations: { [beingDeleted]: 'yes' }, ...guard };
  try {
    await patchContent(cluster, content, { ...releasePatch, metadata }, signal);
  } catch (error) {
    if (isLifeboatError(error, 'Conflict')) {
      return;
    }
    throw error;
  }
  if (deletionTimestamp === undefined) {
    const reference = referenceTo(Resources.volumeSnapshotContents, content);
    await deleteIfSame(cluster, reference, content, { signal });
  }
}

/** Makes a patch a conflict once the content has changed. */
function ifStill(content: KubernetesObject | undefined): { readonly resourceVersion?: string } {
  const { resourceVersion } = content?.metadata ?? {};
  return resourceVersion === undefined ? {} : { resourceVersion };
}

async function patchContent(
  cluster: Cluster,
  content: KubernetesObject | undefined,
  patch: JsonObject,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (content === undefined) {
    return;
  }
  try {
    const reference = referenceTo(Resources.volumeSnapshotContents, content);
    await cluster.patch(reference, { type: 'merge', patch }, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'NotFound')) {
      throw error;
    }
  }
}
