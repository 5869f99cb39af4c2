import { createHash, randomUUID } from 'node:crypto';

import { isLifeboatError, messageOf } from '../errors.ts';
import { systemClock } from '../internal/system-clock.ts';
import { type Deadline, withDeadline } from '../internal/with-deadline.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { observeObject, untilGone } from './observe-object.ts';
import { requireSnapshotApi, snapshotApiMissing } from './served-snapshot-api.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import { errorOf, handleOf } from './snapshot-step.ts';
import { staticContentManifest } from './static-pair.ts';

/** Which storage snapshot to free. */
export interface ReleaseSnapshotRequest {
  readonly cluster: Cluster;
  /** @default the system's clock */
  readonly clock?: Clock | undefined;
  readonly backupName: string;
  readonly driver: string;
  readonly snapshotHandle: string;
  /** The content as the backup holds it: it may name the Secret that the driver needs. */
  readonly volumeSnapshotContent?: KubernetesObject | undefined;
  /** The VolumeSnapshotClasses of the cluster, for a caller that frees many. @default they are listed */
  readonly volumeSnapshotClasses?: readonly KubernetesObject[] | undefined;
  /** How long the driver may take. @default 120000 */
  readonly timeoutMs?: number | undefined;
}

/**
 * How a snapshot came to be gone. `notFound`: the driver could not look at it, mostly because it was gone already, and its
 * deletion succeeded all the same.
 */
export type ReleaseOutcome = 'released' | 'notFound';

/**
 * Frees a storage snapshot that no Kubernetes object stands for any more: a temporary VolumeSnapshotContent with policy Delete
 * is created for its handle and deleted, on which the driver's sidecar has the driver delete the snapshot. Resolves when the
 * driver has done so.
 *
 * - A snapshot that is gone already is success.
 * - The content's name follows from driver and handle: a repeated or concurrent call goes on with the content of an earlier
 *   one, gives it the credentials of now, and has the driver try again at once.
 * - Aborted, or given up because no sidecar reacts: the temporary content is removed and the snapshot stays.
 *
 * @throws {LifeboatError} code SnapshotFailed when nothing reacts within `timeoutMs`, or the driver cannot delete the
 * snapshot; it goes on trying then, and the message names the content that stands for it until it succeeds.
 * @throws {LifeboatError} code Unsupported when the cluster has no VolumeSnapshot API.
 */
export async function releaseSnapshot(
  request: ReleaseSnapshotRequest,
  { signal }: CallOptions = {},
): Promise<ReleaseOutcome> {
  const { cluster, clock = systemClock, driver, snapshotHandle, timeoutMs = 120_000 } = request;
  using deadline = withDeadline(signal, timeoutMs, clock);
  const name = releaseContentNameOf(driver, snapshotHandle);
  const resource = Resources.volumeSnapshotContents;
  const reference = { ...resource, name };
  let isHandedOver = false;
  try {
    const manifest = await contentManifestOf(request, name, deadline.signal);
    const content = await createOrTakeUp(cluster, reference, manifest, deadline.signal);
    isHandedOver = content.metadata.deletionTimestamp !== undefined;
    let outcome: ReleaseOutcome = 'released';
    if (!isHandedOver) {
      outcome = await untilHandled(cluster, reference, snapshotHandle, deadline);
      await cluster.delete(reference, { signal: deadline.signal });
      isHandedOver = true;
    }
    await untilGone(cluster, resource, content, { signal: deadline.signal });
    return outcome;
  } catch (error) {
    if (!isHandedOver) {
      await removeUnused(cluster, reference, clock);
    }
    signal?.throwIfAborted();
    if (isLifeboatError(error, 'Unsupported')) {
      throw error;
    }
    throw snapshotFailure(operation, `snapshot ${snapshotHandle} of driver ${driver}`, {
      reason: deadline.expired
        ? describeTimeout(isHandedOver, name, driver, timeoutMs)
        : messageOf(error),
      cause: error,
    });
  }
}

const operation = 'releaseSnapshot';
const releaseContentPrefix = 'lifeboat-release-';
const digestLength = 40;

/** The name of the temporary content for a storage snapshot. */
function releaseContentNameOf(driver: string, snapshotHandle: string): string {
  const digest = createHash('sha256').update(`${driver}\n${snapshotHandle}`).digest('hex');
  return `${releaseContentPrefix}${digest.slice(0, digestLength)}`;
}

// The controller gives it only to contents that are bound, and without it the sidecar never sees a deletion in time
// (external-snapshotter: pkg/common-controller/snapshot_controller.go, syncContent).
const boundProtection = 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection';

async function contentManifestOf(
  request: ReleaseSnapshotRequest,
  name: string,
  signal: AbortSignal,
): Promise<KubernetesManifest> {
  const { cluster, backupName, driver, snapshotHandle, volumeSnapshotContent: origin } = request;
  const classes =
    request.volumeSnapshotClasses ?? (await requireSnapshotApi(operation, cluster, { signal }));
  return staticContentManifest({
    name,
    driver,
    snapshotHandle,
    deletionPolicy: 'Delete',
    // It must refer to a VolumeSnapshot, and to none that could ever exist.
    volumeSnapshotRef: { namespace: name, name },
    labels: { [VeleroLabel.backupName]: labelValueOf(backupName) },
    origin,
    classes,
    finalizers: [boundProtection],
  });
}

const wakeAnnotation = 'lifeboat.dev/wake';

/** Creates the temporary content, or takes up the one that an earlier call has left. */
async function createOrTakeUp(
  cluster: Cluster,
  reference: ObjectReference,
  manifest: KubernetesManifest,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  for (;;) {
    try {
      return await cluster.create(reference, manifest, { signal });
    } catch (error) {
      if (isLifeboatError(error, 'NotFound')) {
        throw snapshotApiMissing(operation, cluster, error);
      }
      if (!isLifeboatError(error, 'AlreadyExists')) {
        throw error;
      }
    }
    const taken = await takeUp(cluster, reference, manifest, signal);
    if (taken !== undefined) {
      return taken;
    }
  }
}

/** Makes an existing content what the manifest asks for; `undefined` when it is gone meanwhile. */
async function takeUp(
  cluster: Cluster,
  reference: ObjectReference,
  { metadata }: KubernetesManifest,
  signal: AbortSignal,
): Promise<KubernetesObject | undefined> {
  const existing = await cluster.get(reference, { signal });
  if (existing === undefined) {
    return undefined;
  }
  const isBeingDeleted = existing.metadata.deletionTimestamp !== undefined;
  const patch: JsonObject = {
    metadata: {
      // Any change makes a sidecar look at it that is waiting to try again.
      annotations: { ...metadata.annotations, [wakeAnnotation]: randomUUID() },
      ...(isBeingDeleted ? {} : { finalizers: [boundProtection] }),
    },
    spec: { deletionPolicy: 'Delete' },
  };
  try {
    return await cluster.patch(reference, { type: 'merge', patch }, { signal });
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Resolves once the status of a content names its handle: without it the sidecar lets the content go and leaves the storage
 * snapshot. Where the sidecar cannot find the snapshot, or cannot look, the handle is put there for it, so that the driver is
 * asked to delete the snapshot all the same; for one that is gone a driver answers with success.
 */
async function untilHandled(
  cluster: Cluster,
  reference: ObjectReference,
  snapshotHandle: string,
  { signal }: Deadline,
): Promise<ReleaseOutcome> {
  for await (const content of observeObject(cluster, reference, { signal })) {
    if (content === undefined) {
      throw snapshotFailure(operation, `volumesnapshotcontents ${reference.name}`, {
        reason: 'it was deleted by someone else before the driver was asked to delete the snapshot',
      });
    }
    if (handleOf(content) !== undefined) {
      return 'released';
    }
    if (errorOf(content) !== undefined) {
      const patch: JsonObject = { status: { snapshotHandle } };
      await cluster.patch(reference, { type: 'merge', patch }, { subresource: 'status', signal });
      return 'notFound';
    }
  }
  throw new Error(`the watch of volumesnapshotcontents ${reference.name} ended`);
}

const cleanUpTimeoutMs = 30_000;

// The finalizer is ours as long as no sidecar has taken the content on. The error that led here tells more than one of the
// removal; what stays carries the label of the backup.
async function removeUnused(
  cluster: Cluster,
  reference: ObjectReference,
  clock: Clock,
): Promise<void> {
  using deadline = withDeadline(undefined, cleanUpTimeoutMs, clock);
  const options = { signal: deadline.signal };
  const patch: JsonObject = { metadata: { finalizers: null }, spec: { deletionPolicy: 'Retain' } };
  try {
    await cluster.patch(reference, { type: 'merge', patch }, options);
    await cluster.delete(reference, options);
  } catch (error) {
    if (!isLifeboatError(error, 'NotFound')) {
      return;
    }
  }
}

function describeTimeout(
  isHandedOver: boolean,
  contentName: string,
  driver: string,
  timeoutMs: number,
): string {
  return isHandedOver
    ? `the driver did not delete it within ${timeoutMs / 1000} s. It goes on trying while VolumeSnapshotContent ${contentName} exists; its csi-snapshotter sidecar says why it fails`
    : `nothing reacted within ${timeoutMs / 1000} s: check that the csi-snapshotter sidecar of driver ${driver} is running. The snapshot is not freed`;
}
