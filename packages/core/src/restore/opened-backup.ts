import { readArtifactList } from '../catalog/backup-files.ts';
import { discoveryIssues } from '../discovery/discovery-issues.ts';
import type { Backup } from '../model/backup.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { ArchivedVolumes } from './archived-volumes.ts';
import type { BackupContents } from './backup-contents.ts';
import { findBackup } from './find-backup.ts';
import { createItemSelection } from './item-selection.ts';
import { ListedSnapshots } from './listed-snapshots.ts';
import type { ObjectChangeOptions } from './object-change-options.ts';
import { checkObjectChanges, findObjectChanges, type ObjectChanges } from './object-changes.ts';
import { readBackupContents } from './read-backup.ts';
import type { RestoreRecord } from './restore-record.ts';
import { TargetResources } from './target-resources.ts';
import { createVersionChooser } from './version-chooser.ts';
import type { VersionOptions } from './version-options.ts';

/** A backup that was read whole, and what the target serves. Dispose it to free its temporary file. */
export interface OpenedBackup extends AsyncDisposable {
  readonly backup: Backup;
  readonly resources: TargetResources;
  readonly contents: BackupContents;
  readonly volumes: ArchivedVolumes;
  /** What the restore is to change about objects. */
  readonly changes: ObjectChanges;
}

/** What {@link openBackup} works with. */
export interface OpenBackupOptions {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly restore: Restore;
  readonly record: RestoreRecord;
  readonly tempDirectory: string | undefined;
  readonly options: ObjectChangeOptions & VersionOptions;
  readonly signal: AbortSignal;
}

/**
 * Finds the backup that a restore names, asks the target what it serves, and reads the whole archive. Nothing is changed.
 *
 * @throws {ValidationError} when what is to be changed about objects is not valid.
 * @throws {LifeboatError} code NotFound, CorruptBackup, or Conflict when the deletion of the backup has begun.
 */
export async function openBackup(options: OpenBackupOptions): Promise<OpenedBackup> {
  const { cluster, store, restore, record, tempDirectory, signal } = options;
  const backup = await findBackup(store, restore, record, { signal });
  const changes = await findObjectChanges(options);
  const resources = await TargetResources.load(cluster, { signal });
  discoveryIssues(resources.failures).forEach((issue) => record.addIssue(issue));
  const contents = await readBackupContents({
    store,
    backupName: backup.metadata.name,
    selection: createItemSelection(restore.spec, (resource) => resources.canonicalName(resource)),
    resources,
    chooseVersion: createVersionChooser(resources, options.options),
    record,
    tempDirectory,
    signal,
  });
  try {
    await checkObjectChanges(changes, contents, cluster, signal);
    const volumes = await archivedVolumes(options, backup, contents);
    const dispose = (): Promise<void> => contents[Symbol.asyncDispose]();
    return { backup, resources, contents, volumes, changes, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await contents[Symbol.asyncDispose]();
    throw error;
  }
}

async function archivedVolumes(
  { store, restore: { spec }, signal }: OpenBackupOptions,
  backup: Backup,
  contents: BackupContents,
): Promise<ArchivedVolumes> {
  return new ArchivedVolumes({
    contents,
    spec,
    volumeInfo: await readArtifactList(store, spec.backupName, 'volumeInfo', { signal }),
    listed: new ListedSnapshots(store, spec.backupName, signal),
    movesData: backup.spec.snapshotMoveData === true,
  });
}
