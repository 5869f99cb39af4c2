import { RunLog } from '../catalog/run-log.ts';
import { AbortScope } from '../internal/abort-scope.ts';
import { safeListener } from '../internal/safe-listener.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import { acceptRestore, isRestorePlan } from './accept-restore.ts';
import type { ClaimRestorer } from './claim-restorer.ts';
import { settleClaims } from './claim-settlement.ts';
import { confirmPlan } from './confirm-plan.ts';
import { deleteExtraObjects } from './delete-extra-objects.ts';
import { RestoreHooks } from './hooks/restore-hooks.ts';
import { createManagedFieldsRestorer } from './managed-fields-restorer.ts';
import { openBackup } from './opened-backup.ts';
import { OwnerLinks } from './owner-links.ts';
import { planEntries } from './plan-restore.ts';
import { type RestoreOptions, type RestoreRequest, type RestoreResult } from './request.ts';
import { finishRestore, writeRestoreFiles } from './restore-completion.ts';
import { type RestoreRun, restoreEntries } from './restore-entries.ts';
import { RestoreOperations } from './restore-operations.ts';
import { RestoreRecord } from './restore-record.ts';
import { createStatusRestorer } from './status-restorer.ts';

/** What a restore needs from the outside; every default is filled in. */
export interface RestoreDependencies {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The actions that the application adds to the built-in ones. */
  readonly actions: readonly RestoreItemAction[];
  /** Objects that are restored at a time, at most. */
  readonly concurrency: number;
  /** Absent: a request with exec hooks is refused, and the hooks of annotations fail. */
  readonly podExec?: PodExec | undefined;
  /** Pods that run their hooks at a time. @default 4 */
  readonly hookedPods?: number | undefined;
}

/**
 * Runs one restore from request to result: reads the whole backup before anything is created, restores its objects in the
 * order in which they need each other, waits until the operations of item actions have ended and the claims have their volumes, and writes
 * down what it did.
 *
 * What was created when a restore fails or is aborted stays, labelled with the restore's name. Operations that run then are cancelled.
 */
export async function runRestore(
  dependencies: RestoreDependencies,
  request: RestoreRequest | RestorePlan,
  given: RestoreOptions = {},
): Promise<RestoreResult> {
  const { cluster, store, clock, logger } = dependencies;
  given.signal?.throwIfAborted();
  const plan = isRestorePlan(request) ? request : undefined;
  const options = { ...given, ...plan?.options };
  const isPlanned = plan !== undefined;
  const accepted = await acceptRestore(dependencies, request, { ...options, isPlanned });
  const { name, namespace = '' } = accepted.metadata;
  const log = new RunLog(logger, clock, { restore: `${namespace}/${name}` });
  const emit = safeListener(options.onEvent, log);
  const record = new RestoreRecord(emit, log);
  using scope = new AbortScope(options.signal);
  const { signal } = scope;

  emit({ type: 'phase', phase: 'Reading' });
  const { tempDirectory } = options;
  await using opened = await openBackup({
    ...{ cluster, store, restore: accepted, record, tempDirectory, options, signal },
    actions: dependencies.actions,
  });
  log.info('restore started', { backup: opened.backup.metadata.name, store: store.location });

  const run: RestoreRun = { ...opened, restore: accepted, record, signal };
  if (plan !== undefined) {
    await comparePlan(dependencies, plan, options, run);
  }
  emit({ type: 'phase', phase: 'Restoring' });
  await using operations = new RestoreOperations({ ...run, options, clock, logger: log });
  await using hooks = new RestoreHooks({
    ...{ ...run, cluster, clock, logger: log },
    podExec: dependencies.podExec,
    hookedPods: dependencies.hookedPods ?? 4,
    hookWaitTimeoutMs: options.hookWaitTimeoutMs ?? 600_000,
  });
  const owners = new OwnerLinks({ ...run, cluster, clock, concurrency: dependencies.concurrency });
  const { relinkOwners = false, restoreManagedFields = false } = options;
  const claims = await restoreEntries(dependencies, options, run, {
    beginOperation: (...begun) => operations.begin(...begun),
    afterCreation: [
      ...(relinkOwners ? [owners.afterCreation] : []),
      createStatusRestorer({ ...run, cluster, clock }),
      // After all that is written to the object at once, which would be somebody's.
      ...(restoreManagedFields ? [createManagedFieldsRestorer({ cluster, clock })] : []),
      hooks.afterCreation,
    ],
    onExisting: relinkOwners ? owners.onExisting : () => undefined,
    plan,
  });

  await awaitOperationsAndClaims(dependencies, options, run, { operations, claims });
  // Not before: what is written to a claim that is not bound yet delays that.
  await owners.link(signal);
  await hooks.settle();
  if (plan !== undefined && run.rollback !== undefined) {
    emit({ type: 'phase', phase: 'Deleting' });
    await deleteExtraObjects({ ...dependencies, ...run, options, plan, scope: run.rollback });
  }

  return await finish(dependencies, run, log);
}

async function finish(
  { clock, store }: RestoreDependencies,
  { restore, record, signal }: RestoreRun,
  log: RunLog,
): Promise<RestoreResult> {
  record.report({ type: 'phase', phase: 'Finalizing' });
  const completedAt = clock.now();
  const finished = finishRestore(restore, record, completedAt);
  log.info('restore finished', { phase: finished.status.phase, objects: record.done });
  await writeRestoreFiles({ store, restore: finished, record, log, signal });
  return {
    restore: finishRestore(restore, record, completedAt),
    items: record.items,
    issues: record.issues,
    hooks: record.hooks,
  };
}

async function comparePlan(
  dependencies: RestoreDependencies,
  plan: RestorePlan,
  options: RestoreOptions,
  run: RestoreRun,
): Promise<void> {
  const record = new RestoreRecord(() => undefined, silentLogger);
  const { onEvent: _reports, ...deciding } = options;
  confirmPlan(plan, await planEntries(dependencies, { run, record, options: deciding }));
  await run.resources.refresh({ signal: run.signal });
}

async function awaitOperationsAndClaims(
  { cluster, clock }: RestoreDependencies,
  { claimBoundTimeoutMs = 600_000, importedSnapshots = 'remove' }: RestoreOptions,
  run: RestoreRun,
  {
    operations,
    claims,
  }: { readonly operations: RestoreOperations; readonly claims: ClaimRestorer },
): Promise<void> {
  try {
    // Before the claims: an operation may be what fills one.
    await operations.settle();
    run.record.report({ type: 'phase', phase: 'WaitingForClaims' });
    await settleClaims({
      ...run,
      cluster,
      clock,
      claims: claims.created,
      timeoutMs: claimBoundTimeoutMs,
      importedSnapshots,
    });
  } finally {
    await claims.removeGroupStubs();
  }
}
