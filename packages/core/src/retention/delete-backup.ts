import { randomUUID } from 'node:crypto';
import { deleteBackupFiles } from '../catalog/delete-backup-files.ts';
import { markDeletion } from '../catalog/deletion-mark.ts';
import { backupKey, deletionProbeKey } from '../catalog/key-layout.ts';
import { deleteRestoreFiles } from '../catalog/restore-files.ts';
import { claimForDeletion } from '../catalog/stored-claim.ts';
import { isLifeboatError, messageOf } from '../errors.ts';
import { safeListener } from '../internal/safe-listener.ts';
import type { DeletionEvent } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import { snapshotHandleOf } from '../snapshot/leftover-pair.ts';
import { requireSnapshotApi } from '../snapshot/served-snapshot-api.ts';
import type {
  DeleteBackupDependencies,
  DeleteBackupOptions,
  DeleteBackupResult,
  DeletedSnapshot,
} from './delete-request.ts';
import { type DeletionPlan, issuesOf, planDeletion, withSharesOfNow } from './plan-deletion.ts';
import { releaseSnapshots } from './release-snapshots.ts';

/**
 * Frees the storage snapshots of a backup, with the snapshot objects of this cluster that still stand for them, and deletes
 * its files once all of them are gone. What is missing already is success.
 *
 * It reads first and refuses what must not be deleted, then makes sure that it may write to the store, and only then frees
 * the first snapshot. Interrupted at any point it leaves what a repeated call finishes.
 */
export async function deleteBackup(
  dependencies: DeleteBackupDependencies,
  name: string,
  options: DeleteBackupOptions = {},
): Promise<DeleteBackupResult> {
  options.signal?.throwIfAborted();
  const report = safeListener(options.onEvent, dependencies.logger);
  const plan = await inspectBackup(dependencies, name, options, report);
  if (options.dryRun === true || !plan.found) {
    return previewOf(plan);
  }
  const begun = await beginDeletion(dependencies, plan, options);
  return finishDeletion(dependencies, begun, options, report);
}

/** Plans the deletion of a backup, and reports what stays. Only reads. @throws as {@link planDeletion} does. */
export async function inspectBackup(
  dependencies: Pick<DeleteBackupDependencies, 'cluster' | 'store' | 'clock'>,
  name: string,
  options: DeleteBackupOptions,
  report: (event: DeletionEvent) => void,
): Promise<DeletionPlan> {
  report({ type: 'phase', backupName: name, phase: 'Inspecting' });
  const plan = await planDeletion(dependencies, name, options);
  for (const { driver, snapshotHandle } of plan.shared) {
    report({ type: 'snapshot', backupName: name, driver, snapshotHandle, state: 'Shared' });
  }
  for (const issue of issuesOf(plan)) {
    report({ type: 'issue', backupName: name, issue });
  }
  return plan;
}

/**
 * Takes the name of a backup for its deletion and makes sure that files may be deleted, before the first snapshot is freed.
 * Returns the plan as it stands now that the backup is marked. The mark comes last: a store that refuses the claim leaves a
 * backup that can be restored.
 *
 * @throws {ObjectStoreError} when the store does not let files be written or deleted; the backup is as good as before.
 * @throws {LifeboatError} code Unsupported when there are snapshots and the cluster has no VolumeSnapshot API; nothing was
 * touched.
 */
export async function beginDeletion(
  { cluster, store, clock }: Pick<DeleteBackupDependencies, 'cluster' | 'store' | 'clock'>,
  plan: DeletionPlan,
  { signal }: DeleteBackupOptions,
): Promise<DeletionPlan> {
  const { name, toRelease, shared } = plan;
  await store.delete(deletionProbeKey(name), { signal });
  if (toRelease.length > 0) {
    await requireSnapshotApi('deleteBackup', cluster, { signal });
  }
  await claimForDeletion(store, { name, runId: randomUUID(), startedAt: clock.now() }, { signal });
  await markDeletion(store, name, { clock, signal });
  return shared.length === 0 ? plan : withSharesOfNow(store, plan, { signal });
}

/** What a plan comes to while nothing is done. */
export function previewOf(plan: DeletionPlan): DeleteBackupResult {
  return resultOf(
    plan,
    [...plan.toRelease, ...plan.ofRun.flatMap((pair) => snapshotHandleOf(pair) ?? [])].map(
      ({ driver, snapshotHandle }) => ({
        driver,
        snapshotHandle,
        state: 'wouldBeReleased',
        sharedWith: [],
      }),
    ),
    issuesOf(plan),
  );
}

/**
 * Carries out a plan after {@link beginDeletion}: the snapshots, `velero-backup.json`, the restores, the other files, the
 * mark and the claim last.
 *
 * @throws as the engine's `deleteBackup` does.
 */
export async function finishDeletion(
  dependencies: DeleteBackupDependencies,
  plan: DeletionPlan,
  options: DeleteBackupOptions,
  report: (event: DeletionEvent) => void,
): Promise<DeleteBackupResult> {
  const { store, logger } = dependencies;
  const { signal, releaseTimeoutMs } = options;
  const { name } = plan;
  report({ type: 'phase', backupName: name, phase: 'ReleasingSnapshots' });
  const freed = await releaseSnapshots({ ...dependencies, plan, releaseTimeoutMs, report, signal });

  report({ type: 'phase', backupName: name, phase: 'DeletingFiles' });
  await store.delete(backupKey(name, 'backup'), { signal });
  const issues = await deleteRestores(dependencies, plan, options, report);
  await deleteBackupFiles(store, name, { signal });
  logger.info('backup deleted', { backup: name, snapshots: freed.length });
  return resultOf(plan, freed, [...issuesOf(plan), ...issues]);
}

// Their retention may end later than that of the backup, and they are only a record: they do not keep the backup.
async function deleteRestores(
  { store }: DeleteBackupDependencies,
  { name, restores }: DeletionPlan,
  { signal }: DeleteBackupOptions,
  report: (event: DeletionEvent) => void,
): Promise<readonly Issue[]> {
  const issues: Issue[] = [];
  for (const restore of restores) {
    try {
      await deleteRestoreFiles(store, restore, { signal });
    } catch (error) {
      if (!isLifeboatError(error, 'Retained')) {
        throw error;
      }
      const issue: Issue = {
        severity: 'warning',
        reason: 'RestoreResultsLeft',
        message: `the results of restore ${restore} stay in the store: ${messageOf(error)}`,
      };
      report({ type: 'issue', backupName: name, issue });
      issues.push(issue);
    }
  }
  return issues;
}

function resultOf(
  { name, found, shared, restores }: DeletionPlan,
  freed: readonly DeletedSnapshot[],
  issues: readonly Issue[],
): DeleteBackupResult {
  const kept = shared.map(
    ({ driver, snapshotHandle, sharedWith }): DeletedSnapshot => ({
      driver,
      snapshotHandle,
      state: 'shared',
      sharedWith,
    }),
  );
  return { backupName: name, found, snapshots: [...freed, ...kept], restores, issues };
}
