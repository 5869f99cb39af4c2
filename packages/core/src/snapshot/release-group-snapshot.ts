import { createHash, randomUUID } from 'node:crypto';

import { isLifeboatError, messageOf } from '../errors.ts';
import { systemClock } from '../internal/system-clock.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { KubernetesManifest, KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { objectAt, stringAt } from '../model/object-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { groupContentManifest } from './group-content-manifest.ts';
import { type GroupSnapshotResources, groupSnapshotResources } from './group-resources.ts';
import { groupHandleOf } from './group-snapshot-step.ts';
import { observeObject, untilGone } from './observe-object.ts';
import type { ReleaseOutcome } from './release-snapshot.ts';
import { removeGroupObjects } from './remove-group-objects.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import { errorOf } from './snapshot-step.ts';

/** Which group of storage snapshots to free. */
export interface ReleaseGroupSnapshotRequest {
  readonly cluster: Cluster;
  /** @default the system's clock */
  readonly clock?: Clock | undefined;
  /** @default they are discovered */
  readonly resources?: GroupSnapshotResources | undefined;
  readonly backupName: string;
  readonly driver: string;
  readonly groupSnapshotHandle: string;
  /** The handles of all of its snapshots: a driver may refuse a list that is not complete. */
  readonly snapshotHandles: readonly string[];
  /** The content of one of its snapshots as the backup holds it: it may name the Secret that the driver needs. */
  readonly volumeSnapshotContent?: KubernetesObject | undefined;
  /** How long the driver may take. @default 120000 */
  readonly timeoutMs?: number | undefined;
}

/**
 * Frees all storage snapshots of a group that no Kubernetes object stands for any more: a temporary VolumeGroupSnapshotContent
 * with policy Delete is created for its handle and deleted, on which the driver's sidecar has the driver delete the group.
 * Resolves when the driver has done so. One of the snapshots alone cannot be freed: for a snapshot that belongs to a group the
 * sidecar does not ask the driver at all (external-snapshotter: pkg/sidecar-controller/snapshot_controller.go, syncContent).
 *
 * - A group that is gone already is success.
 * - A repeated or concurrent call goes on with the content of an earlier one, and gives it the credentials of now.
 * - Aborted, or given up because no sidecar reacts: the temporary content is removed and the snapshots stay.
 *
 * @throws {LifeboatError} code SnapshotFailed when the cluster does not serve VolumeGroupSnapshots, nothing reacts within
 * `timeoutMs`, or the driver cannot delete the group.
 */
export async function releaseGroupSnapshot(
  request: ReleaseGroupSnapshotRequest,
  { signal }: CallOptions = {},
): Promise<ReleaseOutcome> {
  const {
    cluster,
    clock = systemClock,
    driver,
    groupSnapshotHandle,
    timeoutMs = 120_000,
  } = request;
  using deadline = withDeadline(signal, timeoutMs, clock);
  const target = `group snapshot ${groupSnapshotHandle} of driver ${driver}`;
  const resources = request.resources ?? groupSnapshotResources(await cluster.discover({ signal }));
  if (resources === undefined) {
    throw snapshotFailure('releaseGroupSnapshot', target, {
      reason: `${cluster.location} does not serve groupsnapshot.storage.k8s.io, without which its snapshots cannot be freed`,
    });
  }
  const options = { signal: deadline.signal };
  const name = contentNameOf(driver, groupSnapshotHandle);
  const reference = { ...resources.contents, name };
  let isHandedOver = false;
  try {
    const manifest = await manifestOf(request, resources, name, options);
    const content = await createOrTakeUp(cluster, reference, manifest, options);
    isHandedOver = content.metadata.deletionTimestamp !== undefined;
    let outcome: ReleaseOutcome = 'released';
    if (!isHandedOver) {
      outcome = await untilHandled(cluster, reference, groupSnapshotHandle, options);
      await cluster.delete(reference, options);
      isHandedOver = true;
    }
    await untilGone(cluster, resources.contents, content, options);
    await removeKeptObjects(request, resources, clock, options);
    return outcome;
  } catch (error) {
    if (!isHandedOver) {
      await removeUnused(cluster, reference, clock);
    }
    signal?.throwIfAborted();
    throw snapshotFailure('releaseGroupSnapshot', target, {
      reason: deadline.expired
        ? describeTimeout(isHandedOver, name, driver, timeoutMs)
        : messageOf(error),
      cause: error,
    });
  }
}

/** Removes the objects of the group that a backup has kept in this cluster: they stand for nothing now. */
async function removeKeptObjects(
  { cluster, backupName, groupSnapshotHandle }: ReleaseGroupSnapshotRequest,
  resources: GroupSnapshotResources,
  clock: Clock,
  { signal }: CallOptions,
): Promise<void> {
  const labelSelector = `${VeleroLabel.backupName}=${labelValueOf(backupName)}`;
  for await (const content of cluster.list(resources.contents, { labelSelector, signal })) {
    if (groupHandleOf(content) === groupSnapshotHandle) {
      const reference = objectAt(content, ['spec', 'volumeGroupSnapshotRef']) ?? {};
      const identity = {
        resources,
        namespace: stringAt(reference, ['namespace']) ?? '',
        name: stringAt(reference, ['name']) ?? '',
        uid: stringAt(reference, ['uid']) ?? '',
      };
      await removeGroupObjects({ cluster, clock, identity, deletionPolicy: 'Retain' }, { signal });
    }
  }
}

const digestLength = 40;

function contentNameOf(driver: string, groupSnapshotHandle: string): string {
  const digest = createHash('sha256').update(`${driver}\n${groupSnapshotHandle}`).digest('hex');
  return `lifeboat-release-${digest.slice(0, digestLength)}`;
}

// Without it the API server lets the content go before the sidecar sees its deletion.
const boundProtection =
  'groupsnapshot.storage.kubernetes.io/volumegroupsnapshotcontent-bound-protection';

async function manifestOf(
  request: ReleaseGroupSnapshotRequest,
  { apiVersion, classes }: GroupSnapshotResources,
  name: string,
  options: CallOptions,
): Promise<KubernetesManifest> {
  const { cluster, driver, groupSnapshotHandle, snapshotHandles } = request;
  return groupContentManifest({
    apiVersion,
    name,
    labels: { [VeleroLabel.backupName]: labelValueOf(request.backupName) },
    driver,
    deletionPolicy: 'Delete',
    groupSnapshotHandle,
    snapshotHandles,
    origin: request.volumeSnapshotContent,
    classes: await Array.fromAsync(cluster.list(classes, options)),
    // It must refer to a VolumeGroupSnapshot, and to none that could ever exist.
    groupSnapshotRef: { namespace: name, name },
    finalizers: [boundProtection],
  });
}

async function createOrTakeUp(
  cluster: Cluster,
  reference: ObjectReference,
  manifest: KubernetesManifest,
  options: CallOptions,
): Promise<KubernetesObject> {
  for (;;) {
    try {
      return await cluster.create(reference, manifest, options);
    } catch (error) {
      if (!isLifeboatError(error, 'AlreadyExists')) {
        throw error;
      }
    }
    try {
      // Any change makes a sidecar look at it that is waiting to try again.
      const annotations = { ...manifest.metadata.annotations, 'lifeboat.dev/wake': randomUUID() };
      const patch = { metadata: { annotations }, spec: { deletionPolicy: 'Delete' } };
      return await cluster.patch(reference, { type: 'merge', patch }, options);
    } catch (error) {
      if (!isLifeboatError(error, 'NotFound')) {
        throw error;
      }
    }
  }
}

// As for a single snapshot: without the handle in the status the sidecar lets the content go and leaves the storage alone.
async function untilHandled(
  cluster: Cluster,
  reference: ObjectReference,
  groupSnapshotHandle: string,
  options: CallOptions,
): Promise<ReleaseOutcome> {
  for await (const content of observeObject(cluster, reference, options)) {
    if (content === undefined) {
      throw snapshotFailure(
        'releaseGroupSnapshot',
        `volumegroupsnapshotcontents ${reference.name}`,
        {
          reason: 'it was deleted by someone else before the driver was asked to delete the group',
        },
      );
    }
    if (groupHandleOf(content) !== undefined) {
      return 'released';
    }
    if (errorOf(content) !== undefined) {
      const patch = { status: { volumeGroupSnapshotHandle: groupSnapshotHandle } };
      await cluster.patch(
        reference,
        { type: 'merge', patch },
        { subresource: 'status', ...options },
      );
      return 'notFound';
    }
  }
  throw new Error(`the watch of volumegroupsnapshotcontents ${reference.name} ended`);
}

const cleanUpTimeoutMs = 30_000;

// The error that led here tells more than one of the removal; what stays carries the label of the backup.
async function removeUnused(
  cluster: Cluster,
  reference: ObjectReference,
  clock: Clock,
): Promise<void> {
  using deadline = withDeadline(undefined, cleanUpTimeoutMs, clock);
  const options = { signal: deadline.signal };
  const patch = { metadata: { finalizers: null }, spec: { deletionPolicy: 'Retain' } };
  try {
    await cluster.patch(reference, { type: 'merge', patch }, options);
    await cluster.delete(reference, options);
  } catch {
    return;
  }
}

function describeTimeout(
  isHandedOver: boolean,
  contentName: string,
  driver: string,
  timeoutMs: number,
): string {
  return isHandedOver
    ? `the driver did not delete it within ${timeoutMs / 1000} s. It goes on trying while VolumeGroupSnapshotContent ${contentName} exists; its csi-snapshotter sidecar says why it fails`
    : `nothing reacted within ${timeoutMs / 1000} s: check that the csi-snapshotter sidecar of driver ${driver} is running with volume group snapshots on. The group is not freed`;
}
