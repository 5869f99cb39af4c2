import { ValidationError, type Violation } from '../errors.ts';
import { wholeNumberViolations } from '../internal/whole-number-violations.ts';
import type { Restore } from '../model/restore.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import { withBackupOfSchedule } from './backup-of-schedule.ts';
import { withUnusedName } from './find-backup.ts';
import {
  acceptRestoreRequest,
  type RestoreOptions,
  type RestoreRequest,
  restoreRequestViolations,
} from './request.ts';
import { validateRestoreRequest } from './request-rules.ts';
import { rollbackViolations } from './rollback-rules.ts';

/** What {@link acceptRestore} works with. */
export interface AcceptRestoreDependencies {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly podExec?: PodExec | undefined;
}

/** Options of {@link acceptRestore}. */
export interface AcceptRestoreOptions
  extends Pick<
    RestoreOptions,
    'signal' | 'maximumWaitingObjects' | 'itemOperations' | 'existingObjects'
  > {
  /** Whether somebody can see what will be done, or has. */
  readonly isPlanned: boolean;
}

/**
 * The Restore that a request asks for: checked as a whole, the backup of a schedule found, defaults filled in, under a name without
 * results in the store. Or the one that a plan describes, started now.
 *
 * @throws {ValidationError} with every violation of request and options.
 * @throws {LifeboatError} code AlreadyExists when the chosen name has results, which those of a plan that was carried out already has;
 * NotFound when the schedule has no backup.
 */
export async function acceptRestore(
  dependencies: AcceptRestoreDependencies,
  request: RestoreRequest | RestorePlan,
  options: AcceptRestoreOptions,
): Promise<Restore> {
  const ofRequest = isRestorePlan(request)
    ? planViolations(request)
    : restoreRequestViolations(request, dependencies);
  const { spec } = isRestorePlan(request) ? request.restore : request;
  const violations = [
    ...optionViolations(options),
    ...ofRequest,
    // They are told of a spec that can be read.
    ...(ofRequest.length > 0 ? [] : rollbackViolations(spec, options, options)),
  ];
  if (violations.length > 0) {
    throw new ValidationError('restore', violations);
  }
  return isRestorePlan(request)
    ? acceptPlan(dependencies, request, options)
    : acceptRequest(dependencies, request, options);
}

function optionViolations({
  maximumWaitingObjects,
  itemOperations,
}: AcceptRestoreOptions): readonly Violation[] {
  return [
    ...wholeNumberViolations('options.', { maximumWaitingObjects }),
    ...wholeNumberViolations('options.itemOperations.', { ...itemOperations }),
  ];
}

function planViolations({ restore: { metadata, spec } }: RestorePlan): readonly Violation[] {
  return validateRestoreRequest({ name: metadata.name, spec });
}

async function acceptRequest(
  { store, clock }: AcceptRestoreDependencies,
  request: RestoreRequest,
  { signal }: CallOptions,
): Promise<Restore> {
  const accepted = acceptRestoreRequest(
    await withBackupOfSchedule(store, request, { signal }),
    clock.now(),
  );
  return withUnusedName(store, accepted, { isDefault: request.name === undefined, signal });
}

async function acceptPlan(
  { store, clock }: AcceptRestoreDependencies,
  { restore }: RestorePlan,
  { signal }: CallOptions,
): Promise<Restore> {
  const startTimestamp = formatTimestamp(clock.now());
  const started: Restore = { ...restore, status: { ...restore.status, startTimestamp } };
  return withUnusedName(store, started, { isDefault: false, signal });
}

/** Whether what is to be restored is a plan. A caller without types can pass anything. */
export function isRestorePlan(request: RestoreRequest | RestorePlan): request is RestorePlan {
  return Reflect.get(request, 'kind') === 'RestorePlan';
}
