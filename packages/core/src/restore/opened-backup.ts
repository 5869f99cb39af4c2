import { readArtifactList, readManifest } from '../catalog/backup-files.ts';
import { discoveryIssues } from '../discovery/discovery-issues.ts';
import type { Backup } from '../model/backup.ts';
import type { Issue } from '../model/issue.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { safePredicate } from '../selection/safe-predicate.ts';
import { ArchivedVolumes } from './archived-volumes.ts';
import type { BackupContents } from './backup-contents.ts';
import { findBackup } from './find-backup.ts';
import { HeldNames } from './held-names.ts';
import { createItemSelection, type ItemSelection } from './item-selection.ts';
import { ListedSnapshots } from './listed-snapshots.ts';
import type { ObjectChangeOptions } from './object-change-options.ts';
import { checkObjectChanges, findObjectChanges, type ObjectChanges } from './object-changes.ts';
import { readBackupContents } from './read-backup.ts';
import type { RestoreOptions } from './request.ts';
import type { RestoreRecord } from './restore-record.ts';
import { checkBackupOfRollback } from './rollback-rules.ts';
import { createRollbackScope, type RollbackScope } from './rollback-scope.ts';
import type { RestoreCandidate, SelectionOptions } from './selection-options.ts';
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
  readonly selection: ItemSelection;
  /** Present for a rollback. */
  readonly rollback?: RollbackScope | undefined;
}

/** What {@link openBackup} works with. */
export interface OpenBackupOptions {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly restore: Restore;
  readonly record: RestoreRecord;
  readonly tempDirectory: string | undefined;
  readonly options: ObjectChangeOptions &
    SelectionOptions &
    VersionOptions &
    Pick<RestoreOptions, 'maximumArchiveEntries' | 'existingObjects'>;
  /** Those that the application adds: they may ask for objects. */
  readonly actions: readonly RestoreItemAction[];
  readonly signal: AbortSignal;
}

/**
 * Finds the backup that a restore names, asks the target what it serves, and reads the whole archive. Nothing is changed.
 *
 * @throws {ValidationError} when what is to be changed about objects is not valid, or a rollback lacks the predicate of the backup.
 * @throws {LifeboatError} code NotFound, CorruptBackup, or Conflict when the deletion of the backup has begun; Unsupported when it
 * cannot be rolled back to.
 */
export async function openBackup(options: OpenBackupOptions): Promise<OpenedBackup> {
  const { cluster, store, restore, record, tempDirectory, signal } = options;
  const backup = await findBackup(store, restore, record, { signal });
  const { only, include, existingObjects } = options.options;
  if (existingObjects === 'rollback') {
    const manifest = await readManifest(store, backup.metadata.name, { signal });
    checkBackupOfRollback(backup, manifest, { include });
  }
  const changes = await findObjectChanges(options);
  const resources = await TargetResources.load(cluster, { signal });
  discoveryIssues(resources.failures).forEach((issue) => record.addIssue(issue));
  const canonicalName = (name: string): string => resources.canonicalName(name);
  const selection = createItemSelection(restore.spec, canonicalName, {
    only,
    include: include && safePredicate(include, reportTo(record)),
    keepsOnRequest: options.actions.length > 0,
  });
  const held = existingObjects === 'rollback' ? new HeldNames() : undefined;
  const { maximumArchiveEntries = 1_000_000 } = options.options;
  const contents = await readBackupContents({
    store,
    maximumEntries: maximumArchiveEntries,
    backupName: backup.metadata.name,
    selection,
    held,
    resources,
    chooseVersion: createVersionChooser(resources, options.options),
    record,
    tempDirectory,
    signal,
  });
  try {
    reportUnknown(only ?? [], contents, canonicalName, record);
    await checkObjectChanges(changes, contents, cluster, signal);
    const volumes = await archivedVolumes(options, backup, contents);
    const dispose = (): Promise<void> => contents[Symbol.asyncDispose]();
    const { spec } = restore;
    const rollback = held && createRollbackScope({ spec, backup, selection, held, resources });
    const opened = { backup, resources, contents, volumes, changes, selection, rollback };
    return { ...opened, [Symbol.asyncDispose]: dispose };
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

function reportTo(
  record: RestoreRecord,
): (candidate: RestoreCandidate, issue: Omit<Issue, 'severity'>) => void {
  return ({ object: _content, ...object }, issue) =>
    record.addIssue({ ...issue, severity: 'error', object });
}

function reportUnknown(
  only: readonly ResourceIdentifier[],
  contents: BackupContents,
  canonicalName: (name: string) => string,
  record: RestoreRecord,
): void {
  for (const named of only) {
    const object = { ...named, groupResource: canonicalName(named.groupResource) };
    if (contents.find(object)?.selected !== true) {
      record.addIssue({
        severity: 'warning',
        reason: 'NotSelected',
        message:
          'it is asked for by name, but the backup does not hold it or the spec leaves it out',
        object,
      });
    }
  }
}
