import { backupDirectory } from '../catalog/key-layout.ts';
import { restoresOfBackup } from '../catalog/restores-of-backup.ts';
import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import type { Issue } from '../model/issue.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import type { LeftoverPair } from '../snapshot/leftover-pair.ts';
import { type BackupSnapshots, readBackupSnapshots } from './backup-snapshots.ts';
import type { DeleteBackupDependencies, DeleteBackupOptions } from './delete-request.ts';
import { describeForeignData } from './foreign-data.ts';
import { refuseRetained, refuseUnfinished } from './refuse-deletion.ts';
import { findRunSnapshots, unfinishedRunOf } from './run-snapshots.ts';
import { findHolders, findSharedSnapshots } from './shared-snapshots.ts';
import { holdersWithGroups } from './stored-group.ts';
import { type StoredSnapshot, snapshotKeyOf } from './stored-snapshot.ts';

/** A snapshot that stays, because other backups refer to it. */
export interface SharedSnapshot extends StoredSnapshot {
  readonly sharedWith: readonly string[];
}

/** What the deletion of a backup comes down to. */
export interface DeletionPlan {
  readonly name: string;
  /** Whether the store holds anything of that name. */
  readonly found: boolean;
  readonly toRelease: readonly StoredSnapshot[];
  readonly shared: readonly SharedSnapshot[];
  /** The run that was making the backup, when it never came to its end. */
  readonly unfinishedRun?: string | undefined;
  /** What that run has left in this cluster. */
  readonly ofRun: readonly LeftoverPair[];
  readonly restores: readonly string[];
  /** What its user should know besides what {@link issuesOf} adds. */
  readonly issues: readonly Issue[];
}

const operation = 'deleteBackup';
const dayMs = 86_400_000;

/**
 * Finds out what the deletion of a backup has to do, and whether it may be done. Only reads.
 *
 * @throws {LifeboatError} code Conflict when the backup may be being written, Unsupported when it has data that only Velero
 * can free or its unfinished run has left a group of snapshots, CorruptBackup when it cannot be found out which snapshots it has or shares.
 * @throws {ObjectStoreError} code Retained when a lock keeps one of its files.
 */
export async function planDeletion(
  { cluster, store, clock }: Pick<DeleteBackupDependencies, 'cluster' | 'store' | 'clock'>,
  name: string,
  options: DeleteBackupOptions,
): Promise<DeletionPlan> {
  const { signal, assumeDeadAfterMs = dayMs, leaveForeignData = false } = options;
  const listed = store.list(backupDirectory(name), { signal });
  const keys = await Array.fromAsync(listed, ({ key }) => key);
  if (keys.length === 0) {
    return { name, found: false, toRelease: [], shared: [], ofRun: [], restores: [], issues: [] };
  }
  const request = { store, clock, name, keys, signal };
  await refuseUnfinished(request, assumeDeadAfterMs);
  await refuseRetained(request);
  const { foreign, snapshots, archiveProblem } = await readContents(store, name, signal);
  if (foreign.length > 0 && !leaveForeignData) {
    throw new LifeboatError(
      `backup ${name} in ${store.location} is not deleted: it has ${foreign.join(', ')}, which only Velero can free. Delete it with Velero, or set leaveForeignData and free that data yourself`,
      { code: 'Unsupported', operation, target: name },
    );
  }
  const found = await findSharedSnapshots(store, name, snapshots, { signal });
  const unfinishedRun = await unfinishedRunOf(store, name, { keys, signal });
  const known = new Set(snapshots.map(snapshotKeyOf));
  return {
    name,
    found: true,
    ...dividedByHolders(snapshots, found),
    unfinishedRun,
    ofRun:
      unfinishedRun === undefined
        ? []
        : await findRunSnapshots({
            ...{ cluster, store, backupName: name, runId: unfinishedRun },
            ...{ known, signal },
          }),
    restores: await restoresOfBackup(store, name, { signal }),
    issues: [
      ...(archiveProblem === undefined ? [] : [damagedArchiveIssue(archiveProblem)]),
      ...foreign.map(foreignIssue),
    ],
  };
}

/**
 * Looks again whether the snapshots that were left to other backups are still theirs. To be called once the backup is marked:
 * of two deletions that each left a snapshot to the other, at least one sees the mark of the other here.
 *
 * @throws {LifeboatError} code CorruptBackup when one of those backups cannot be read any more.
 */
export async function withSharesOfNow(
  store: ObjectStore,
  plan: DeletionPlan,
  { signal }: CallOptions,
): Promise<DeletionPlan> {
  const names = new Set(plan.shared.flatMap(({ sharedWith }) => sharedWith));
  const left = plan.shared.map(({ sharedWith: _, ...snapshot }) => snapshot);
  const found = await findHolders(store, names, left, { signal });
  const { toRelease, shared } = dividedByHolders(left, found);
  return { ...plan, toRelease: [...plan.toRelease, ...toRelease], shared };
}

/** Every issue of a plan. */
export function issuesOf(plan: DeletionPlan): readonly Issue[] {
  return [...plan.issues, ...plan.shared.map(sharedIssue)];
}

function dividedByHolders(
  snapshots: readonly StoredSnapshot[],
  found: ReadonlyMap<string, readonly string[]>,
): Pick<DeletionPlan, 'toRelease' | 'shared'> {
  const holders = holdersWithGroups(snapshots, found);
  const shared = snapshots.flatMap((snapshot) => {
    const sharedWith = holders.get(snapshotKeyOf(snapshot));
    return sharedWith === undefined ? [] : [{ ...snapshot, sharedWith }];
  });
  return {
    toRelease: snapshots.filter((snapshot) => !holders.has(snapshotKeyOf(snapshot))),
    shared,
  };
}

async function readContents(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<BackupSnapshots & { readonly foreign: readonly string[] }> {
  try {
    const foreign = await describeForeignData(store, name, { signal });
    return { ...(await readBackupSnapshots(store, name, { signal })), foreign };
  } catch (error) {
    if (!isLifeboatError(error, 'CorruptBackup')) {
      throw error;
    }
    throw new LifeboatError(
      `backup ${name} in ${store.location} is not deleted, because it cannot be read which snapshots it has: ${messageOf(error)}. catalog.delete deletes its files and leaves the snapshots`,
      { code: 'CorruptBackup', operation, target: name, cause: error },
    );
  }
}

function sharedIssue({ driver, snapshotHandle, sharedWith }: SharedSnapshot): Issue {
  return {
    severity: 'warning',
    reason: 'SnapshotShared',
    message: `snapshot ${snapshotHandle} of driver ${driver} is kept: ${sharedWith.join(', ')} refers to it too, and frees it when it is deleted as the last`,
  };
}

function damagedArchiveIssue(problem: string): Issue {
  return {
    severity: 'warning',
    reason: 'ArchiveUnreadable',
    message: `the snapshots that the volume information names are freed; one that only the archive names, and the names of Secrets that it holds, are not known: ${problem}`,
  };
}

function foreignIssue(what: string): Issue {
  return {
    severity: 'warning',
    reason: 'ForeignDataLeft',
    message: `${what} of the backup cannot be freed by Lifeboat and stays in the storage`,
  };
}
