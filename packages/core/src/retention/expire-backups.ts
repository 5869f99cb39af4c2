import { BackupCatalog } from '../catalog/backup-catalog.ts';
import { interruptedDeletions } from '../catalog/interrupted-deletions.ts';
import { isLifeboatError, messageOf } from '../errors.ts';
import { safeListener } from '../internal/safe-listener.ts';
import type { Backup } from '../model/backup.ts';
import type { DeletionEvent } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import { beginDeletion, finishDeletion, inspectBackup, previewOf } from './delete-backup.ts';
import type {
  DeleteBackupDependencies,
  DeleteBackupOptions,
  DeleteBackupResult,
} from './delete-request.ts';
import { isUnfinishedPhase } from './refuse-deletion.ts';

/** Options of the engine's `expire`. */
export type ExpireOptions = Omit<DeleteBackupOptions, 'assumeDeadAfterMs' | 'leaveForeignData'>;

/** What became of an expired backup. */
export interface ExpiredBackup {
  readonly backupName: string;
  /** `status.expiration`; absent when an interrupted deletion has removed the description already. */
  readonly expiration?: string | undefined;
  /**
   * `kept`: it may not be deleted, and nothing of it was touched. `failed`: it could not be deleted, and the next call tries
   * again. `wouldBeDeleted`: in a dry run.
   */
  readonly outcome: 'deleted' | 'wouldBeDeleted' | 'kept' | 'failed';
  /** Why it was kept, or failed; an error code such as `Retained`, or `BackupNotComplete`. */
  readonly reason?: string | undefined;
  /** The same for people. */
  readonly message?: string | undefined;
  /** What the deletion did, or would do. */
  readonly deletion?: DeleteBackupResult | undefined;
}

/** What an expiry did, or in a dry run would do. */
export interface ExpireResult {
  /** Every backup that has expired, and every interrupted deletion that was gone on with. */
  readonly backups: readonly ExpiredBackup[];
  /** Backups that cannot be read, so that it is not known whether they have expired. */
  readonly issues: readonly Issue[];
}

/**
 * Deletes the backups of a store whose `status.expiration` has passed, one after another, and finishes the deletions that were
 * interrupted when the description was deleted already. One that is kept or fails does not stop the others.
 */
export async function expireBackups(
  dependencies: DeleteBackupDependencies,
  options: ExpireOptions = {},
): Promise<ExpireResult> {
  const { store, clock, logger } = dependencies;
  const { signal } = options;
  const report = safeListener(options.onEvent, logger);
  const backups: ExpiredBackup[] = [];
  const issues: Issue[] = [];
  const add = (backup: ExpiredBackup): void => {
    backups.push(backup);
    report({ type: 'backup', backupName: backup.backupName, outcome: backup.outcome });
  };
  for (const backupName of await interruptedDeletions(store, { signal })) {
    add(await expireOne(dependencies, { backupName }, options, report));
  }
  const catalog = new BackupCatalog(store, logger);
  // The descriptions are read one by one while the list goes on: what counts is the expiration right before the deletion.
  for await (const backup of catalog.list({ signal, onIssue: (issue) => issues.push(issue) })) {
    const expiration = expirationOf(backup, clock.now());
    if (expiration !== undefined) {
      const expired = { backupName: backup.metadata.name, expiration };
      add(
        isUnfinishedPhase(backup.status.phase)
          ? keptUnfinished(expired, backup)
          : await expireOne(dependencies, expired, options, report),
      );
    }
  }
  return { backups, issues };
}

function keptUnfinished(expired: Expired, { status: { phase } }: Backup): ExpiredBackup {
  return {
    ...expired,
    outcome: 'kept',
    reason: 'BackupNotComplete',
    message: `it is in phase ${phase}: Velero has not completed it`,
  };
}

/** When a backup expired; `undefined` when it has not, or never does. */
function expirationOf({ status }: Backup, now: Date): string | undefined {
  const { expiration } = status;
  return typeof expiration === 'string' && Date.parse(expiration) <= now.getTime()
    ? expiration
    : undefined;
}

type Expired = Pick<ExpiredBackup, 'backupName' | 'expiration'>;

async function expireOne(
  dependencies: DeleteBackupDependencies,
  expired: Expired,
  options: ExpireOptions,
  report: (event: DeletionEvent) => void,
): Promise<ExpiredBackup> {
  const { backupName: name } = expired;
  let isBegun = false;
  try {
    const plan = await inspectBackup(dependencies, name, options, report);
    if (options.dryRun === true) {
      return { ...expired, outcome: 'wouldBeDeleted', deletion: previewOf(plan) };
    }
    const begun = await beginDeletion(dependencies, plan, options);
    isBegun = true;
    const deletion = await finishDeletion(dependencies, begun, options, report);
    return { ...expired, outcome: 'deleted', deletion };
  } catch (error) {
    options.signal?.throwIfAborted();
    const outcome = !isBegun && isRefusal(error) ? 'kept' : 'failed';
    const reason = isLifeboatError(error) ? error.code : 'Unknown';
    const message = messageOf(error);
    dependencies.logger.warn('an expired backup is not deleted', { backup: name, outcome, reason });
    return { ...expired, outcome, reason, message };
  }
}

const refusals = ['Conflict', 'PermissionDenied', 'Retained', 'Unsupported'] as const;

/** Whether a failure says that the backup may not be deleted, as opposed to that it could not be. */
function isRefusal(error: unknown): boolean {
  return refusals.some((code) => isLifeboatError(error, code));
}
