import { isLifeboatError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import { isJsonObject, type JsonValue, parseJson } from '../model/json.ts';
import { stringAt } from '../model/object-path.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { claimKey } from './key-layout.ts';

const maximumClaimBytes = 64 * 1024;

/** What a claim in the store tells of its holder; a claim that is damaged tells nothing. */
export interface StoredClaim {
  readonly runId: string | undefined;
  /** The run that made the backup, or was making it: the holder itself, or the one that a deletion has taken the claim from. */
  readonly backupRunId: string | undefined;
  readonly startTimestamp: string | undefined;
  /** Whether the holder makes the backup or deletes it. */
  readonly purpose: 'backup' | 'delete';
}

/**
 * Reads the claim on the name of a backup; `undefined` when there is none.
 *
 * @throws {ObjectStoreError} when the store cannot tell.
 */
export async function readClaim(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<StoredClaim | undefined> {
  let bytes: Uint8Array;
  try {
    const body = await store.get(claimKey(name), { signal });
    bytes = await readAll(body, { maximumBytes: maximumClaimBytes, target: claimKey(name) });
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return undefined;
    }
    throw error;
  }
  return describeClaim(parseDocument(bytes));
}

function describeClaim(document: JsonValue | undefined): StoredClaim {
  if (!isJsonObject(document)) {
    const unknown = { runId: undefined, backupRunId: undefined, startTimestamp: undefined };
    return { ...unknown, purpose: 'backup' };
  }
  const runId = stringAt(document, ['runId']);
  const isDeletion = stringAt(document, ['purpose']) === 'delete';
  return {
    runId,
    backupRunId: isDeletion ? stringAt(document, ['backupRunId']) : runId,
    startTimestamp: stringAt(document, ['startTimestamp']),
    purpose: isDeletion ? 'delete' : 'backup',
  };
}

/**
 * Takes over the claim on a backup's name for its deletion, whoever held it: until the deletion is done no run can make a
 * backup of that name, and what an interrupted deletion leaves can be told from what an interrupted run leaves. The claim still
 * tells which run made the backup. Repeating it is harmless.
 */
export async function claimForDeletion(
  store: ObjectStore,
  {
    name,
    runId,
    startedAt,
  }: { readonly name: string; readonly runId: string; readonly startedAt: Date },
  { signal }: CallOptions = {},
): Promise<void> {
  const backupRunId = (await readClaim(store, name, { signal }))?.backupRunId;
  const document = {
    runId,
    startTimestamp: formatTimestamp(startedAt),
    owner: 'lifeboat',
    purpose: 'delete',
    ...(backupRunId === undefined ? {} : { backupRunId }),
  };
  const body = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
  await store.put(claimKey(name), body, { contentType: 'application/json', signal });
}

function parseDocument(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
