import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupExists } from './backup-files.ts';
import { createObject } from './create-object.ts';
import { backupDirectory, backupKey, claimKey } from './key-layout.ts';
import { readClaim, type StoredClaim } from './stored-claim.ts';

const operation = 'backup';
const cleanUpTimeoutMs = 30_000;

/** A run's claim on the name of a backup. */
export interface BackupClaim {
  /** The backup's name. */
  readonly name: string;
  /** The run, a UUID: what the run makes in the cluster carries it too. */
  readonly runId: string;
  readonly startedAt: Date;
  /** Go on with a store that cannot tell two writers of one name apart. @default false */
  readonly allowUnsafeConcurrentWriters?: boolean | undefined;
  /** Told when the claim is unsafe. @default no logging */
  readonly logger?: Logger | undefined;
}

/**
 * Takes the name of a backup, so that no other run writes into its directory. To be called before anything else is touched.
 *
 * - Of racing runs exactly one gets the name, if the store's `ifAbsent` is atomic.
 * - Repeated by the same run it succeeds again.
 * - Fails or aborts: the claim is not left behind.
 *
 * @throws {LifeboatError} code AlreadyExists when another run has claimed the name, or there are files of a backup of that name.
 * @throws {LifeboatError} code Unsupported when the store lacks `ifAbsent` and that is not allowed.
 * @throws {ValidationError} when the name cannot be a backup's.
 */
export async function claimBackup(
  store: ObjectStore,
  claim: BackupClaim,
  { signal }: CallOptions = {},
): Promise<void> {
  const { name, allowUnsafeConcurrentWriters = false, logger = silentLogger } = claim;
  signal?.throwIfAborted();
  if (!store.capabilities.ifAbsent) {
    if (!allowUnsafeConcurrentWriters) {
      throw unsafeStore(store, name);
    }
    logger.warn('the store cannot keep two writers of one backup apart', {
      backup: name,
      store: store.location,
    });
  }
  try {
    await createClaim(store, claim, signal);
    const obstacle = await findObstacle(store, name, signal);
    if (obstacle !== undefined) {
      throw obstacle;
    }
  } catch (error) {
    await releaseClaim(store, claim, logger);
    throw error;
  }
}

/**
 * Why a run that began now could not take the name of a backup; empty when it could. Only reads.
 *
 * @throws {ValidationError} when the name cannot be a backup's.
 */
export async function foreseeClaim(
  store: ObjectStore,
  {
    name,
    allowUnsafeConcurrentWriters = false,
  }: Pick<BackupClaim, 'name' | 'allowUnsafeConcurrentWriters'>,
  { signal }: CallOptions = {},
): Promise<readonly LifeboatError[]> {
  const refusals: LifeboatError[] = [];
  if (!store.capabilities.ifAbsent && !allowUnsafeConcurrentWriters) {
    refusals.push(unsafeStore(store, name));
  }
  if (await backupExists(store, name, { signal })) {
    refusals.push(alreadyStored(store, name));
  } else if ((await store.stat(claimKey(name), { signal })) !== undefined) {
    const holder = await holderOf(store, name, signal);
    refusals.push(alreadyExists(store, name, describeHolder(holder)));
  } else {
    const obstacle = await findObstacle(store, name, signal);
    refusals.push(...(obstacle === undefined ? [] : [obstacle]));
  }
  return refusals;
}

// Velero writes its log before its description, and a run replaces no file: it would fail after hours.
async function findObstacle(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<LifeboatError | undefined> {
  const own = claimKey(name);
  const description = backupKey(name, 'backup');
  let stranger: string | undefined;
  for await (const { key } of store.list(backupDirectory(name), { signal })) {
    if (key === description) {
      return alreadyStored(store, name);
    }
    stranger ??= key === own ? undefined : key;
  }
  return stranger === undefined
    ? undefined
    : alreadyExists(
        store,
        name,
        `${stranger} is there, without a claim: Velero is making a backup of this name, or has left it behind. removeLeftovers deletes what is left`,
      );
}

async function createClaim(
  store: ObjectStore,
  { name, runId, startedAt }: BackupClaim,
  signal: AbortSignal | undefined,
): Promise<void> {
  const document = { runId, startTimestamp: formatTimestamp(startedAt), owner: 'lifeboat' };
  const body = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
  try {
    await createObject(store, claimKey(name), body, { contentType: 'application/json', signal });
  } catch (error) {
    if (!isLifeboatError(error, 'AlreadyExists')) {
      throw error;
    }
    const holder = await holderOf(store, name, signal);
    if (holder?.runId === runId) {
      return;
    }
    throw (await backupExists(store, name, { signal }))
      ? alreadyStored(store, name, error)
      : alreadyExists(store, name, describeHolder(holder), error);
  }
}

// A claim whose creation seemed to fail may be stored all the same, so it is looked at, under a deadline of its own. The caller
// gets the error that stopped it, whatever happens here.
async function releaseClaim(
  store: ObjectStore,
  { name, runId }: BackupClaim,
  logger: Logger,
): Promise<void> {
  using deadline = withDeadline(undefined, cleanUpTimeoutMs);
  const { signal } = deadline;
  try {
    if ((await holderOf(store, name, signal))?.runId === runId) {
      await store.delete(claimKey(name), { signal });
    }
  } catch (error) {
    logger.warn('the claim of a backup that was not made is left in the store', {
      backup: name,
      store: store.location,
      error: messageOf(error),
    });
  }
}

// Only for the message and to recognise our own: a claim that cannot be read is a claim all the same.
async function holderOf(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<StoredClaim | undefined> {
  try {
    return await readClaim(store, name, { signal });
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function describeHolder(holder: StoredClaim | undefined): string {
  const begun = `begun ${holder?.startTimestamp ?? 'at an unknown time'}`;
  return holder?.purpose === 'delete'
    ? `a deletion of the backup of this name, ${begun}, is under way or was stopped; deleteBackup finishes it`
    : `run ${holder?.runId ?? 'unknown'}, ${begun}, is making a backup of this name or was stopped while it did`;
}

function alreadyStored(store: ObjectStore, name: string, cause?: unknown): LifeboatError {
  return alreadyExists(store, name, 'a backup of this name is stored there', cause);
}

function alreadyExists(
  store: ObjectStore,
  name: string,
  why: string,
  cause?: unknown,
): LifeboatError {
  return new LifeboatError(
    `backup ${name} cannot be made in ${store.location}: ${why}. Choose another name, or delete what is there`,
    { code: 'AlreadyExists', operation, target: name, cause },
  );
}

function unsafeStore(store: ObjectStore, name: string): LifeboatError {
  return new LifeboatError(
    `backup ${name} cannot be made in ${store.location}: the store cannot create an object only if it is absent, so two runs could write one backup. If no other run writes to it, set allowUnsafeConcurrentWriters`,
    { code: 'Unsupported', operation, target: name },
  );
}
