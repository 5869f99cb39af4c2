import { createHash } from 'node:crypto';

import { isLifeboatError, messageOf } from '../errors.ts';
import { DeletionObserver } from '../internal/deletion-observer.ts';
import type { Pause } from '../internal/pause.ts';
import { systemClock } from '../internal/system-clock.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import {
  type KubernetesManifest,
  type KubernetesObject,
  referenceTo,
  type StringMap,
} from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { type AwaitImportOptions, awaitImport } from './await-import.ts';
import { deleteIfSame } from './delete-if-same.ts';
import { snapshotApiMissing } from './served-snapshot-api.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import {
  isSameStaticContent,
  staticContentManifest,
  staticSnapshotManifest,
} from './static-pair.ts';

/** Which snapshot of a backup to make available, and where. */
export interface ImportSnapshotRequest {
  readonly cluster: Cluster;
  readonly restoreUid: string;
  readonly restoreName: string;
  readonly backupName: string;
  /** The namespace it is needed in. */
  readonly namespace: string;
  /** The VolumeSnapshot as the backup holds it. */
  readonly volumeSnapshot: KubernetesObject;
  /** The content as the backup holds it, if it does. */
  readonly volumeSnapshotContent?: KubernetesObject | undefined;
  readonly driver: string;
  readonly snapshotHandle: string;
  /**
   * Let a claim of another volumeMode than the snapshot's be filled from it, which the provisioner refuses otherwise.
   * @default as the backup's content says
   */
  readonly allowVolumeModeChange?: boolean | undefined;
}

/** Options of {@link importSnapshot}. */
export type ImportSnapshotOptions = AwaitImportOptions;

/** A pair of VolumeSnapshot and VolumeSnapshotContent, of one name, that stands for a snapshot which the storage holds. */
export interface ImportedSnapshot {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly name: string;
  readonly volumeSnapshot: KubernetesObject;
  readonly volumeSnapshotContent: KubernetesObject;
}

/** Options of {@link removeImportedSnapshot}. */
export interface RemoveImportedSnapshotOptions extends CallOptions {
  /** How long the objects may take to go. @default 60000 */
  readonly timeoutMs?: number | undefined;
  /** @default the system's clock */
  readonly clock?: Clock | undefined;
  /** Tells when they have gone. @default one of this call alone, with watches of its own */
  readonly deletions?: DeletionObserver | undefined;
  /** Does the waiting, in which nothing is asked of the cluster. @default it is just done */
  readonly pause?: Pause | undefined;
}

/** The name of the pair that a restore imports a snapshot under, the same that Velero derives. */
export function importedSnapshotName(restoreUid: string, volumeSnapshotName: string): string {
  return createHash('sha256').update(`${restoreUid}/${volumeSnapshotName}`).digest('hex');
}

/**
 * Makes a snapshot of a backup usable as the data source of claims in a namespace, in any cluster that reaches its storage.
 * The content comes first, since a VolumeSnapshot without one is an error to the controller; both keep the storage snapshot
 * when they are deleted. Resolves when the cluster has found the snapshot in its storage.
 *
 * - Repeated: the pair that stands already is returned.
 * - Failed or aborted: what this call made is removed again.
 *
 * @throws {LifeboatError} code SnapshotFailed when an object of that name stands for something else, or the driver does not
 * find the snapshot; Unsupported when the cluster has no snapshot API, before anything is created.
 * @throws {ClusterError} what the API server says, NotFound when the namespace is missing.
 */
export async function importSnapshot(
  request: ImportSnapshotRequest,
  options: ImportSnapshotOptions = {},
): Promise<ImportedSnapshot> {
  const { cluster, namespace, restoreUid, volumeSnapshot: origin } = request;
  const { signal } = options;
  const name = importedSnapshotName(restoreUid, origin.metadata.name);
  const labels = {
    [VeleroLabel.backupName]: labelValueOf(request.backupName),
    [VeleroLabel.restoreName]: labelValueOf(request.restoreName),
  };
  const contentManifest = await contentManifestOf(request, name, labels, signal);
  const snapshotManifest = staticSnapshotManifest({ name, namespace, labels, origin });
  let isNew = true;
  try {
    const content = await createContent(cluster, contentManifest, signal);
    isNew = content.isNew;
    const pair = {
      cluster,
      volumeSnapshot: await createSnapshot(cluster, snapshotManifest, signal),
      volumeSnapshotContent: content.object,
    };
    const volumeSnapshot = await awaitImport({ ...request, ...pair }, options);
    return { ...pair, namespace, name, volumeSnapshot };
  } catch (error) {
    if (isNew) {
      await removeUnfinished(cluster, contentManifest, snapshotManifest);
    }
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * Deletes an imported pair and resolves when both objects are gone; the snapshot in the storage stays. Objects that are gone
 * already are success.
 *
 * @throws {LifeboatError} code SnapshotFailed when they are still there after `timeoutMs`, for example because a claim is
 * being filled from the snapshot.
 */
export async function removeImportedSnapshot(
  imported: ImportedSnapshot,
  options: RemoveImportedSnapshotOptions = {},
): Promise<void> {
  const { cluster, volumeSnapshot, volumeSnapshotContent } = imported;
  const { signal, timeoutMs = 60_000, clock = systemClock, deletions, pause } = options;
  if (deletions === undefined) {
    await using observer = new DeletionObserver(cluster);
    return await removeImportedSnapshot(imported, { ...options, deletions: observer });
  }
  using deadline = withDeadline(signal, timeoutMs, clock);
  const waiting = { signal: deadline.signal, pause };
  const snapshot = referenceTo(Resources.volumeSnapshots, volumeSnapshot);
  const content = referenceTo(Resources.volumeSnapshotContents, volumeSnapshotContent);
  try {
    await deleteIfSame(cluster, content, volumeSnapshotContent, waiting);
    await deleteIfSame(cluster, snapshot, volumeSnapshot, waiting);
    await deletions.untilGone(snapshot, volumeSnapshot.metadata.uid, waiting);
    await deletions.untilGone(content, volumeSnapshotContent.metadata.uid, waiting);
  } catch (error) {
    signal?.throwIfAborted();
    const { namespace = '', name } = volumeSnapshot.metadata;
    throw snapshotFailure('removeImportedSnapshot', `volumesnapshots ${namespace}/${name}`, {
      reason: deadline.expired
        ? `it or its VolumeSnapshotContent of the same name is still there after ${timeoutMs / 1000} s`
        : messageOf(error),
      cause: error,
    });
  }
}

async function contentManifestOf(
  request: ImportSnapshotRequest,
  name: string,
  labels: StringMap,
  signal: AbortSignal | undefined,
): Promise<KubernetesManifest> {
  const { cluster, driver, snapshotHandle, namespace, volumeSnapshotContent: origin } = request;
  return staticContentManifest({
    name,
    driver,
    snapshotHandle,
    deletionPolicy: 'Retain',
    volumeSnapshotRef: { namespace, name },
    labels,
    origin,
    classes: await listClasses(cluster, signal),
    allowVolumeModeChange: request.allowVolumeModeChange,
  });
}

async function listClasses(
  cluster: Cluster,
  signal: AbortSignal | undefined,
): Promise<readonly KubernetesObject[]> {
  try {
    return await Array.fromAsync(cluster.list(Resources.volumeSnapshotClasses, { signal }));
  } catch (error) {
    throw isLifeboatError(error, 'NotFound')
      ? snapshotApiMissing('importSnapshot', cluster, error)
      : error;
  }
}

async function createContent(
  cluster: Cluster,
  manifest: KubernetesManifest,
  signal: AbortSignal | undefined,
): Promise<{ readonly object: KubernetesObject; readonly isNew: boolean }> {
  const resource = Resources.volumeSnapshotContents;
  try {
    return { object: await cluster.create(resource, manifest, { signal }), isNew: true };
  } catch (error) {
    if (!isLifeboatError(error, 'AlreadyExists')) {
      throw error;
    }
    const name = manifest.metadata.name ?? '';
    const existing = await cluster.get({ ...resource, name }, { signal });
    if (existing === undefined || !isSameStaticContent(existing, manifest)) {
      throw nameTaken(`volumesnapshotcontents ${name}`, error);
    }
    return { object: existing, isNew: false };
  }
}

async function createSnapshot(
  cluster: Cluster,
  manifest: KubernetesManifest,
  signal: AbortSignal | undefined,
): Promise<KubernetesObject> {
  const resource = Resources.volumeSnapshots;
  try {
    return await cluster.create(resource, manifest, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'AlreadyExists')) {
      throw error;
    }
    const { name = '', namespace } = manifest.metadata;
    const existing = await cluster.get({ ...resource, namespace, name }, { signal });
    if (existing?.metadata.deletionTimestamp !== undefined || !isOurs(existing, name)) {
      throw nameTaken(`volumesnapshots ${namespace ?? ''}/${name}`, error);
    }
    return existing;
  }
}

function isOurs(
  volumeSnapshot: KubernetesObject | undefined,
  name: string,
): volumeSnapshot is KubernetesObject {
  return (
    volumeSnapshot !== undefined &&
    stringAt(volumeSnapshot, ['spec', 'source', 'volumeSnapshotContentName']) === name
  );
}

const cleanUpTimeoutMs = 30_000;

// A request whose answer did not come may have been carried out: what is there decides, not what is known. The error that
// led here tells more than one of the removal; what stays carries the labels of the restore.
async function removeUnfinished(
  cluster: Cluster,
  contentManifest: KubernetesManifest,
  { metadata: { namespace, name = '' } }: KubernetesManifest,
): Promise<void> {
  using deadline = withDeadline(undefined, cleanUpTimeoutMs);
  const options = { signal: deadline.signal };
  const contentReference = { ...Resources.volumeSnapshotContents, name };
  const snapshotReference = { ...Resources.volumeSnapshots, namespace, name };
  try {
    const content = await cluster.get(contentReference, options);
    if (content !== undefined && isSameStaticContent(content, contentManifest)) {
      await deleteIfSame(cluster, contentReference, content, options);
      const volumeSnapshot = await cluster.get(snapshotReference, options);
      if (isOurs(volumeSnapshot, name)) {
        await deleteIfSame(cluster, snapshotReference, volumeSnapshot, options);
      }
    }
  } catch {
    return;
  }
}

function nameTaken(target: string, cause: unknown): Error {
  return snapshotFailure('importSnapshot', target, {
    reason:
      'an object of this name exists that stands for another snapshot or is being deleted. Remove it, or restore under another uid',
    cause,
  });
}
