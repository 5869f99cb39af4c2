import type { ArchiveWriter } from '../archive/archive-writer.ts';
import { messageOf } from '../errors.ts';
import { AbortScope } from '../internal/abort-scope.ts';
import { unlessAborted } from '../internal/unless-aborted.ts';
import type { BackupEvent } from '../model/event.ts';
import {
  type ApiResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  referenceTo,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { ItemOperations } from '../operations/item-operations.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import type { Logger } from '../ports/logger.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import {
  archivedClaim,
  archivedVolumeSnapshot,
  archivedVolumeSnapshotContent,
} from '../snapshot/manifests.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';
import type { BackupRecord } from './backup-record.ts';
import type { BackupScope } from './backup-scope.ts';
import type { ClaimVolumes } from './claim-volumes.ts';
import type { VolumeOutcome } from './held-claim.ts';
import { ItemActions, type Pull } from './item-actions.ts';
import { ItemBackupper } from './item-backupper.ts';
import { ItemCollector } from './item-collector.ts';
import type { ItemUpdates } from './item-updates.ts';
import { namedObjects } from './named-objects.ts';
import { PodBackups } from './pod-backups.ts';
import type { VolumeBackups } from './volume-backups.ts';
import type { VolumeDemands } from './volume-demands.ts';
import { csiVolumeInfo, snapshotOperation } from './volume-info.ts';

/** What {@link storeSelected} works with. */
export interface StoreSelectedOptions {
  readonly cluster: Cluster;
  /** Runs hooks. */
  readonly podExec: PodExec | undefined;
  /** How many pods with hooks are backed up at a time. */
  readonly hookedPods: number;
  /** How many lists are read at a time. */
  readonly lists: number;
  readonly archive: ArchiveWriter;
  readonly actions: readonly BackupItemAction[];
  /** Those of them that may take long. */
  readonly slowActions: readonly BackupItemAction[];
  /** For how many objects these run at a time. */
  readonly itemActions: number;
  readonly demands: VolumeDemands;
  readonly updates: ItemUpdates;
  /** Absent: what actions begin is not followed. */
  readonly operations?: ItemOperations | undefined;
  readonly scope: BackupScope;
  readonly record: BackupRecord;
  readonly volumes: ClaimVolumes;
  readonly onPulledAlong?: ((pull: Pull) => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly emit: (event: BackupEvent) => void;
  readonly signal: AbortSignal;
}

/** What {@link storeItems} works with. */
export interface StoreItemsOptions extends StoreSelectedOptions {
  readonly volumes: VolumeBackups;
  readonly operations: ItemOperations;
}

/**
 * Fills the archive: every listed object and what it pulls along, the Namespaces, and at the end, once their snapshots are
 * ready, the claims that were held back with their snapshot objects, and what waits for the operations of item actions.
 *
 * @throws the first error when not a single object could be stored: such a backup is of no use.
 */
export async function storeItems(options: StoreItemsOptions): Promise<void> {
  using run = new AbortScope(options.signal);
  const within = { ...options, signal: run.signal };
  const { record, volumes, emit, signal } = within;
  const backupper = await storeSelected(within, run);

  emit({ type: 'phase', phase: 'WaitingForSnapshots' });
  for await (const outcome of volumes.outcomes()) {
    signal.throwIfAborted();
    if ('snapshot' in outcome) {
      await storeSnapshot(within, backupper, outcome);
    } else {
      record.addError(
        {
          reason: 'SnapshotFailed',
          message: messageOf(outcome.error),
          object: identifierOf(referenceTo(Resources.persistentVolumeClaims, outcome.claim)),
        },
        outcome.error,
      );
    }
  }
  if (within.operations.pending) {
    emit({ type: 'phase', phase: 'WaitingForItemOperations' });
  }
  // What is stored then may pull others along, for which operations begin.
  while (within.operations.pending) {
    await unlessAborted(within.operations.ended(), signal);
    await storeUpdated(backupper, within.updates);
  }
  record.throwIfUseless();
}

/** Stores what waited for operations. */
export async function storeUpdated(backupper: ItemBackupper, updates: ItemUpdates): Promise<void> {
  for (const update of updates.take()) {
    await backupper.backUpUpdated(update);
  }
}

/**
 * Stores every listed object with what it pulls along, but for the claims that are held back, and the Namespaces. Returns what stored
 * them. A failure aborts the run.
 */
export async function storeSelected(
  options: StoreSelectedOptions,
  run: AbortScope,
): Promise<ItemBackupper> {
  const { scope, record } = options;
  const backupper = await storeListed(options, run);
  for (const namespace of scope.namespaceObjects) {
    const isWanted =
      scope.filter.includesNamespaceObject(namespace) ||
      record.storedNamespaces.has(namespace.metadata.name);
    if (isWanted && !backupper.hasPulledAlong(Resources.namespaces, namespace)) {
      await backupper.store(Resources.namespaces, namespace);
    }
  }
  return backupper;
}

/** Stores every listed object. When it ends, also when it fails, no hook of a pod is under way or outstanding. */
async function storeListed(options: StoreSelectedOptions, run: AbortScope): Promise<ItemBackupper> {
  const { scope, volumes } = options;
  const collector = new ItemCollector(options);
  const fail = (error: unknown): void => run.abort(error);
  const backupper: ItemBackupper = new ItemBackupper({
    ...{ ...options, fail },
    actions: new ItemActions({ ...options, backup: scope.backup }),
    hasPassed: (reference, object) => collector.hasPassed(reference, object),
    holdBack: (claim, holdOptions) => volumes.holdBack(claim, holdOptions),
    backUpPulledPod: (resource, pod) => pods.takePulled(resource, pod),
  });
  const selects: ItemCollector['selects'] = (...asked) => collector.selects(...asked);
  const pods = new PodBackups({ ...options, backupper, selects, fail });
  try {
    for (const [index, resource] of scope.resources.entries()) {
      const arePods = groupResourceOf(resource) === 'pods';
      const named = namedObjects({ ...options, selects }, resource);
      await (arePods
        ? pods.takeNamed(resource, await Array.fromAsync(named))
        : backUpNamed(backupper, resource, named));
      if (arePods) {
        // Windows may stand open for long while pods are listed: what is read meanwhile would be stale.
        for await (const { object } of collector.itemsOf(resource)) {
          await pods.take(resource, object);
        }
      } else {
        const upcoming = scope.resources.slice(index + 1);
        await backUpListed(backupper, collector, resource, upcoming);
      }
      // Before anything else is listed: claims are snapshotted within the windows of their pods.
      await pods.finish();
    }
  } catch (error) {
    run.abort(error);
    throw error;
  } finally {
    await backupper.settle();
    await pods.settle();
    await collector.close();
  }
  return backupper;
}

/** Stores the listed objects of a resource. */
async function backUpListed(
  backupper: ItemBackupper,
  collector: ItemCollector,
  resource: ApiResource,
  upcoming: readonly ApiResource[],
): Promise<void> {
  if (!backupper.takesLong(resource)) {
    for await (const { object } of collector.itemsOf(resource, upcoming)) {
      await backupper.backUpListed(resource, object);
    }
    return;
  }
  // Begun as soon as it counts as passed: what would pull it along in between has to find it.
  const begin = (object: KubernetesObject): boolean => {
    const isAdmitted = backupper.admits(resource, object);
    if (isAdmitted) {
      backupper.begin(resource, object);
    }
    return isAdmitted;
  };
  for await (const _begun of collector.itemsOf(resource, upcoming, begin)) {
    await backupper.untilRoom();
  }
  await backupper.finish();
}

/** Stores the objects that come before the others of their resource. */
async function backUpNamed(
  backupper: ItemBackupper,
  resource: ApiResource,
  named: AsyncIterable<KubernetesObject>,
): Promise<void> {
  for await (const object of named) {
    if (backupper.admitsEarly(resource, object)) {
      await backupper.backUp(resource, object);
    }
  }
}

async function storeSnapshot(
  { scope, record, clock }: StoreItemsOptions,
  backupper: ItemBackupper,
  { claim, volume, snapshot }: VolumeOutcome & { readonly snapshot: ReadySnapshot },
): Promise<void> {
  const { name, uid = '' } = scope.backup.metadata;
  const { snapshotClass } = snapshot;
  if (snapshotClass !== undefined) {
    await storeSnapshotClass(backupper, snapshotClass, record);
  }
  await backupper.store(
    Resources.volumeSnapshotContents,
    archivedVolumeSnapshotContent(snapshot, name),
  );
  await backupper.store(Resources.volumeSnapshots, archivedVolumeSnapshot(snapshot, name));
  await backupper.store(Resources.persistentVolumeClaims, archivedClaim(claim, snapshot, name));
  const completedAt = clock.now();
  record.addVolume(csiVolumeInfo(claim, volume, snapshot, completedAt));
  record.addOperation(snapshotOperation({ name, uid }, snapshot, completedAt));
}

/** Stores the class of a snapshot, unless it is in the archive already: with another snapshot, or because it was listed. */
export async function storeSnapshotClass(
  backupper: ItemBackupper,
  snapshotClass: KubernetesObject,
  record: BackupRecord,
): Promise<void> {
  if (!record.hasStored(snapshotClass)) {
    await backupper.store(Resources.volumeSnapshotClasses, snapshotClass);
  }
}
