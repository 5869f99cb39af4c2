import type { WrittenArchive } from '../archive/archive-writer.ts';
import type { ArchiveIndexFile } from '../catalog/artifacts/archive-index-file.ts';
import type { BackupManifest } from '../catalog/artifacts/backup-manifest.ts';
import { resourceListOf } from '../catalog/artifacts/resource-list.ts';
import { resultsOf } from '../catalog/artifacts/results.ts';
import {
  describeBackupFile,
  putArchiveIndex,
  putArtifact,
  putBackup,
  putManifest,
  putText,
} from '../catalog/backup-files.ts';
import { backupFileName, backupKey } from '../catalog/key-layout.ts';
import type { RunLog } from '../catalog/run-log.ts';
import type { StoredFile } from '../catalog/stored-file.ts';
import type { Backup } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import { VeleroAnnotation } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { terminalPhase } from '../model/phase.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';
import type { BackupRecord } from './backup-record.ts';
import { claimConsistencies } from './claim-consistencies.ts';
import { writeLegacyCsiFiles } from './legacy-csi-files.ts';

/** The Backup in its terminal phase, with the counts that its status carries; counts of zero are left out, as Velero does. */
export function finishBackup(backup: Backup, record: BackupRecord, completedAt: Date): Backup {
  const { length: errors } = record.errors;
  const { length: warnings } = record.warnings;
  const { length: snapshots } = record.volumes.filter(
    ({ backupMethod }) => backupMethod === 'CSISnapshot',
  );
  const phases = record.operations.map((operation) => stringAt(operation, ['status', 'phase']));
  const { length: failed } = phases.filter((phase) => phase === 'Failed');
  const { length: hooksFailed } = record.hooks.filter(({ outcome }) => outcome === 'Failed');
  return {
    ...backup,
    status: {
      ...backup.status,
      phase: terminalPhase(errors),
      completionTimestamp: formatTimestamp(completedAt),
      progress: { totalItems: record.stored, itemsBackedUp: record.stored },
      ...unlessZero('warnings', warnings),
      ...unlessZero('errors', errors),
      ...unlessZero('csiVolumeSnapshotsAttempted', record.snapshotsAttempted),
      ...unlessZero('csiVolumeSnapshotsCompleted', snapshots),
      ...unlessZero('backupItemOperationsAttempted', phases.length),
      ...unlessZero('backupItemOperationsCompleted', phases.length - failed),
      ...unlessZero('backupItemOperationsFailed', failed),
      hookStatus: {
        ...unlessZero('hooksAttempted', record.hooks.length),
        ...unlessZero('hooksFailed', hooksFailed),
      },
    },
  };
}

/** Writes every file beside the archive, and last, because it makes the backup complete, `velero-backup.json`. */
export async function writeBackupFiles({
  store,
  backup,
  archive,
  index,
  record,
  legacySnapshots,
  log,
  emit,
  signal,
}: {
  readonly store: ObjectStore;
  readonly backup: Backup;
  /** The archive, which is stored already. */
  readonly archive: WrittenArchive<unknown>;
  /** Has every object of it. */
  readonly index: ArchiveIndexFile;
  readonly record: BackupRecord;
  /** The snapshots, if the files of older versions of Velero are wanted. */
  readonly legacySnapshots?: (() => AsyncIterable<ReadySnapshot>) | undefined;
  readonly log: RunLog;
  readonly emit: (event: BackupEvent) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { name, uid = '', annotations = {} } = backup.metadata;
  const options = { signal };
  const files: StoredFile[] = [
    {
      fileName: backupFileName(name, 'archive'),
      sizeBytes: archive.sizeBytes,
      sha256: archive.sha256,
    },
    await putText(store, name, 'logs', log.text, options),
    await putArtifact(store, name, 'podVolumeBackups', null, options),
    await putArtifact(store, name, 'volumeSnapshots', null, options),
    await putArtifact(store, name, 'resourceList', resourceListOf(record.names), options),
    await putArtifact(store, name, 'results', resultsOf(record.issues), options),
    await putArtifact(store, name, 'itemOperations', record.operations, options),
    await putArtifact(store, name, 'volumeInfo', record.volumes, options),
    await putArchiveIndex(store, name, await index.end(archive.members), options),
    ...(legacySnapshots === undefined
      ? []
      : await writeLegacyCsiFiles(store, name, legacySnapshots, options)),
    describeBackupFile(backup),
  ];
  const manifest: BackupManifest = {
    backup: { name, uid },
    kubernetesVersion: annotations[VeleroAnnotation.sourceClusterGitVersion] ?? '',
    objects: index.objects,
    entries: archive.entries,
    claims: claimConsistencies(record),
    files,
  };
  await putManifest(store, manifest, options);
  await putBackup(store, backup, options);
  emit({ type: 'uploaded', key: backupKey(name, 'backup') });
  emit({ type: 'progress', done: record.stored, total: record.stored });
}

function unlessZero(field: string, count: number): Readonly<Record<string, number>> {
  return count === 0 ? {} : { [field]: count };
}
