import { readBackup } from '../catalog/backup-files.ts';
import { claimKey, deletionMarkKey } from '../catalog/key-layout.ts';
import { readClaim } from '../catalog/stored-claim.ts';
import { isLifeboatError, LifeboatError, ObjectStoreError } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { Backup } from '../model/backup.ts';
import type { BackupPhase } from '../model/phase.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectLock, ObjectStore } from '../ports/object-store.ts';

const operation = 'deleteBackup';

/** What {@link refuseUnfinished} and {@link refuseRetained} look at. */
export interface RefusalRequest {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly name: string;
  /** Every key in the backup's folder. */
  readonly keys: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** Phases in which a Backup of Velero lies in the store while Velero is still at work on it. */
const unfinishedPhases: readonly BackupPhase[] = [
  'New',
  'Queued',
  'ReadyToStart',
  'InProgress',
  'WaitingForPluginOperations',
  'WaitingForPluginOperationsPartiallyFailed',
  'Finalizing',
  'FinalizingPartiallyFailed',
];

/** Whether a run is still at work on a backup in this phase, or was when it died. */
export function isUnfinishedPhase(phase: BackupPhase): boolean {
  return unfinishedPhases.includes(phase);
}

/**
 * Refuses a backup that may be being written: one that is not complete and was begun less than `assumeDeadAfterMs` ago. What
 * an interrupted deletion left is not refused.
 *
 * @throws {LifeboatError} code Conflict.
 */
export async function refuseUnfinished(
  request: RefusalRequest,
  assumeDeadAfterMs: number,
): Promise<void> {
  const { store, clock, name } = request;
  const begun = await unfinishedSince(request);
  if (begun === undefined) {
    return;
  }
  const ageMs = clock.now().getTime() - begun.getTime();
  if (assumeDeadAfterMs > 0 && !(ageMs >= assumeDeadAfterMs)) {
    const since = Number.isNaN(ageMs) ? 'at an unknown time' : begun.toISOString();
    throw new LifeboatError(
      `backup ${name} in ${store.location} is not deleted: a run that was begun ${since} has not completed it, and may still be writing it. When you know that the run is dead, repeat the call with assumeDeadAfterMs: 0`,
      { code: 'Conflict', operation, target: name },
    );
  }
}

/** When the run was begun that has not completed a backup; `undefined` when there is no such run. */
async function unfinishedSince({
  store,
  name,
  keys,
  signal,
}: RefusalRequest): Promise<Date | undefined> {
  if (keys.includes(deletionMarkKey(name))) {
    return undefined;
  }
  const backup = await readIfSound(store, name, signal);
  if (backup === 'damaged') {
    return undefined;
  }
  if (backup !== undefined) {
    const { phase, startTimestamp } = backup.status;
    return isUnfinishedPhase(phase) ? new Date(startTimestamp ?? Number.NaN) : undefined;
  }
  const claim = keys.includes(claimKey(name))
    ? await readClaim(store, name, { signal })
    : undefined;
  return claim === undefined || claim.purpose === 'delete'
    ? undefined
    : new Date(claim.startTimestamp ?? Number.NaN);
}

// A description that is damaged must not keep its backup from being deleted.
async function readIfSound(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Backup | 'damaged' | undefined> {
  try {
    return await readBackup(store, name, { signal });
  } catch (error) {
    if (isLifeboatError(error, 'CorruptBackup')) {
      return 'damaged';
    }
    throw error;
  }
}

const concurrency = 8;

/**
 * Refuses a backup of which a file is locked, as far as the store tells: otherwise its snapshots would be freed and its
 * description stay.
 *
 * @throws {ObjectStoreError} code Retained.
 */
export async function refuseRetained({
  store,
  clock,
  name,
  keys,
  signal,
}: RefusalRequest): Promise<void> {
  const getLock = store.getLock?.bind(store);
  if (getLock === undefined) {
    return;
  }
  await runAll(
    keys,
    async (key, workSignal) => {
      const why = whyRetained(await lockOf(getLock, key, workSignal), clock);
      if (why !== undefined) {
        throw new ObjectStoreError(
          `backup ${name} in ${store.location} is not deleted: ${key} is kept ${why}`,
          { code: 'Retained', operation, target: key },
        );
      }
    },
    { concurrency, signal },
  );
}

async function lockOf(
  getLock: NonNullable<ObjectStore['getLock']>,
  key: string,
  signal: AbortSignal,
): Promise<ObjectLock | undefined> {
  try {
    return await getLock(key, { signal });
  } catch (error) {
    // Credentials that may not look at locks, or a bucket without any: then the deletion itself tells.
    if (isLifeboatError(error, 'PermissionDenied') || isLifeboatError(error, 'InvalidConfig')) {
      return undefined;
    }
    throw error;
  }
}

function whyRetained(lock: ObjectLock | undefined, clock: Clock): string | undefined {
  if (lock?.legalHold === true) {
    return 'by a legal hold';
  }
  const until = lock?.retention?.until;
  return until !== undefined && until > clock.now() ? `until ${until.toISOString()}` : undefined;
}
