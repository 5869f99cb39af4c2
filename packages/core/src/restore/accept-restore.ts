import { ValidationError } from '../errors.ts';
import type { Restore } from '../model/restore.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import { withBackupOfSchedule } from './backup-of-schedule.ts';
import { withUnusedName } from './find-backup.ts';
import { acceptRestoreRequest, type RestoreOptions, type RestoreRequest } from './request.ts';
import { validateRestoreRequest } from './request-rules.ts';

/** What {@link acceptRestore} works with. */
export interface AcceptRestoreDependencies {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly podExec?: PodExec | undefined;
}

/** Options of {@link acceptRestore}. */
export type AcceptRestoreOptions = Pick<
  RestoreOptions,
  'signal' | 'maximumWaitingObjects' | 'itemOperations'
>;

/**
 * The Restore that a request asks for: checked as a whole, the backup of a schedule found, defaults filled in, under a name without
 * results in the store. Or the one that a plan describes, started now.
 *
 * @throws {ValidationError} with every violation of the request.
 * @throws {LifeboatError} code AlreadyExists when the chosen name has results, which those of a plan that was carried out already has;
 * NotFound when the schedule has no backup.
 */
export async function acceptRestore(
  dependencies: AcceptRestoreDependencies,
  request: RestoreRequest | RestorePlan,
  options: AcceptRestoreOptions,
): Promise<Restore> {
  const { maximumWaitingObjects: received = 1 } = options;
  if (!(received >= 1)) {
    const rule = 'must be at least one';
    throw new ValidationError('restore', [
      { path: 'options.maximumWaitingObjects', rule, received },
    ]);
  }
  const { pollIntervalMs = 1 } = options.itemOperations ?? {};
  if (!(Number.isSafeInteger(pollIntervalMs) && pollIntervalMs >= 1)) {
    const rule = 'must be a whole number of at least 1';
    throw new ValidationError('restore', [
      { path: 'options.itemOperations.pollIntervalMs', rule, received: pollIntervalMs },
    ]);
  }
  return isRestorePlan(request)
    ? acceptPlan(dependencies, request, options)
    : acceptRequest(dependencies, request, options);
}

async function acceptRequest(
  dependencies: AcceptRestoreDependencies,
  request: RestoreRequest,
  { signal }: CallOptions,
): Promise<Restore> {
  const { store, clock } = dependencies;
  const checked = acceptRestoreRequest(request, clock.now(), dependencies);
  const named = await withBackupOfSchedule(store, request, { signal });
  const accepted =
    named === request ? checked : acceptRestoreRequest(named, clock.now(), dependencies);
  return withUnusedName(store, accepted, { isDefault: request.name === undefined, signal });
}

async function acceptPlan(
  { store, clock }: AcceptRestoreDependencies,
  { restore }: RestorePlan,
  { signal }: CallOptions,
): Promise<Restore> {
  const { spec, metadata } = restore;
  const violations = validateRestoreRequest({ name: metadata.name, spec });
  if (violations.length > 0) {
    throw new ValidationError('restore', violations);
  }
  const startTimestamp = formatTimestamp(clock.now());
  const started: Restore = { ...restore, status: { ...restore.status, startTimestamp } };
  return withUnusedName(store, started, { isDefault: false, signal });
}

/** Whether what is to be restored is a plan. A caller without types can pass anything. */
export function isRestorePlan(request: RestoreRequest | RestorePlan): request is RestorePlan {
  return Reflect.get(request, 'kind') === 'RestorePlan';
}
