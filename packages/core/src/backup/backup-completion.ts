import type { WrittenArchive } from '../archive/archive-writer.ts';
import type { BackupJsonArtifact } from '../catalog/artifact.ts';
import type { ArchiveIndexFile } from '../catalog/artifacts/archive-index-file.ts';
import type { BackupManifest } from '../catalog/artifacts/backup-manifest.ts';
import { resourceListFile } from '../catalog/artifacts/resource-list.ts';
import { resultsOf } from '../catalog/artifacts/results.ts';
import {
  describeBackupFile,
  putArtifact,
  putBackup,
  putCompressed,
  putManifest,
  putText,
} from '../catalog/backup-files.ts';
import { backupFileName, backupKey } from '../catalog/key-layout.ts';
import type { RunLog } from '../catalog/run-log.ts';
import type { StoredFile } from '../catalog/stored-file.ts';
import { runAll } from '../internal/run-all.ts';
import type { Backup } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import type { JsonValue } from '../model/json.ts';
import { VeleroAnnotation } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { terminalPhase } from '../model/phase.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import { unlessZero } from '../model/unless-zero.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
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

// What a store needs for each is mostly time.
const filesAtATime = 4;

/** What {@link writeBackupFiles} works with. */
export interface BackupFilesOptions {
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
}

/**
 * Writes every file beside the archive, a few at a time, then the manifest, and last and alone, because it makes the backup complete,
 * `velero-backup.json`. The first failure aborts the others, which are awaited.
 */
export async function writeBackupFiles(options: BackupFilesOptions): Promise<void> {
  const { store, backup, archive, index, record, emit, signal } = options;
  const { name, uid = '', annotations = {} } = backup.metadata;
  const { sizeBytes, sha256 } = archive;
  const written = await allOf(filesBeside(options), signal);
  const manifest: BackupManifest = {
    backup: { name, uid },
    kubernetesVersion: annotations[VeleroAnnotation.sourceClusterGitVersion] ?? '',
    objects: index.objects,
    entries: archive.entries,
    unstoredFilters: record.unstoredFilters,
    claims: claimConsistencies(record),
    files: [
      { fileName: backupFileName(name, 'archive'), sizeBytes, sha256 },
      ...written.flat(),
      describeBackupFile(backup),
    ],
  };
  await putManifest(store, manifest, { signal });
  await putBackup(store, backup, { signal });
  emit({ type: 'uploaded', key: backupKey(name, 'backup') });
  emit({ type: 'progress', done: record.stored, total: record.stored });
}

/** Writes files, and tells which. */
type WriteFiles = (options: CallOptions) => Promise<readonly StoredFile[]>;

function filesBeside({
  store,
  backup,
  archive,
  index,
  record,
  legacySnapshots,
  log,
}: BackupFilesOptions): readonly WriteFiles[] {
  const { name } = backup.metadata;
  const put =
    (artifact: BackupJsonArtifact, value: () => JsonValue): WriteFiles =>
    async (options) => [await putArtifact(store, name, artifact, value(), options)];
  return [
    async (options) => [await putText(store, name, 'logs', log.text, options)],
    put('podVolumeBackups', () => null),
    put('volumeSnapshots', () => null),
    async (options) => [
      await putCompressed(
        store,
        name,
        'resourceList',
        await resourceListFile(record.names),
        options,
      ),
    ],
    put('results', () => resultsOf(record.issues)),
    put('itemOperations', () => record.operations),
    put('volumeInfo', () => record.volumes),
    async (options) => [
      await putCompressed(store, name, 'index', await index.end(archive.members), options),
    ],
    ...(legacySnapshots === undefined
      ? []
      : [(options: CallOptions) => writeLegacyCsiFiles(store, name, legacySnapshots, options)]),
  ];
}

/** Does what is to be done a few at a time; returns what it has come to, in the order given. */
async function allOf<T>(
  work: readonly ((options: CallOptions) => Promise<T>)[],
  signal: AbortSignal,
): Promise<readonly T[]> {
  const results = new Map<number, T>();
  await runAll(
    work.entries(),
    async ([index, one], within) => {
      results.set(index, await one({ signal: within }));
    },
    { concurrency: filesAtATime, signal },
  );
  return [...results].toSorted(([left], [right]) => left - right).map(([, result]) => result);
}
