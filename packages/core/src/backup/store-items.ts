import type { ArchiveWriter } from '../archive/archive-writer.ts';
import { messageOf } from '../errors.ts';
import type { BackupEvent } from '../model/event.ts';
import { identifierOf, referenceTo } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import {
  archivedClaim,
  archivedVolumeSnapshot,
  archivedVolumeSnapshotContent,
} from '../snapshot/manifests.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';
import type { BackupRecord } from './backup-record.ts';
import type { BackupScope } from './backup-scope.ts';
import type { VolumeOutcome } from './held-claim.ts';
import { ItemBackupper } from './item-backupper.ts';
import { ItemCollector } from './item-collector.ts';
import type { VolumeBackups } from './volume-backups.ts';
import { csiVolumeInfo, snapshotOperation } from './volume-info.ts';

/** What {@link storeItems} works with. */
export interface StoreItemsOptions {
  readonly cluster: Cluster;
  readonly archive: ArchiveWriter;
  readonly actions: readonly BackupItemAction[];
  readonly scope: BackupScope;
  readonly record: BackupRecord;
  readonly volumes: VolumeBackups;
  readonly clock: Clock;
  readonly emit: (event: BackupEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Fills the archive: every listed object and what it pulls along, the Namespaces, and at the end, once their snapshots are
 * ready, the claims that were held back with their snapshot objects.
 *
 * @throws the first error when not a single object could be stored: such a backup is of no use.
 */
export async function storeItems(options: StoreItemsOptions): Promise<void> {
  const { scope, record, volumes, emit, signal } = options;
  const collector = new ItemCollector(options);
  const backupper = new ItemBackupper({
    ...options,
    hasPassed: (reference, object) => collector.hasPassed(reference, object),
    holdBack: (claim) => volumes.holdBack(claim),
  });
  for await (const { resource, object } of collector.items()) {
    await backupper.backUpListed(resource, object);
  }
  for (const namespace of scope.namespaceObjects) {
    const isWanted = scope.filter.includesNamespaceObject(namespace);
    if (isWanted || record.storedNamespaces.has(namespace.metadata.name)) {
      await backupper.store(Resources.namespaces, namespace);
    }
  }

  emit({ type: 'phase', phase: 'WaitingForSnapshots' });
  const storedClasses = new Set<string>();
  for await (const outcome of volumes.outcomes()) {
    signal.throwIfAborted();
    if ('snapshot' in outcome) {
      await storeSnapshot(options, backupper, outcome, storedClasses);
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
  record.throwIfUseless();
}

async function storeSnapshot(
  { scope, record, clock }: StoreItemsOptions,
  backupper: ItemBackupper,
  { claim, volume, snapshot }: VolumeOutcome & { readonly snapshot: ReadySnapshot },
  storedClasses: Set<string>,
): Promise<void> {
  const { name, uid = '' } = scope.backup.metadata;
  const { snapshotClass } = snapshot;
  if (snapshotClass !== undefined && !storedClasses.has(snapshotClass.metadata.name)) {
    storedClasses.add(snapshotClass.metadata.name);
    await backupper.store(Resources.volumeSnapshotClasses, snapshotClass);
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
