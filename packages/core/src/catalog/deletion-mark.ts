import { isLifeboatError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import { isJsonObject, parseJson } from '../model/json.ts';
import { stringAt } from '../model/object-path.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupDirectory, deletionMarkKey } from './key-layout.ts';
import { readClaim } from './stored-claim.ts';

const maximumMarkBytes = 64 * 1024;

/** Options of {@link markDeletion}. */
export interface MarkDeletionOptions extends CallOptions {
  readonly clock: Clock;
}

/**
 * Marks a backup whose deletion begins, before the first of its snapshots is freed: from then on it may be a backup without
 * its data although its files are all there. The mark remembers the run that made the backup, whose objects in the cluster
 * carry its id. A directory without any file stays without one; a mark that stands is kept.
 */
export async function markDeletion(
  store: ObjectStore,
  name: string,
  { clock, signal }: MarkDeletionOptions,
): Promise<void> {
  const markKey = deletionMarkKey(name);
  let isEmpty = true;
  for await (const { key } of store.list(backupDirectory(name), { signal })) {
    isEmpty = false;
    if (key === markKey) {
      return;
    }
  }
  if (!isEmpty) {
    const claim = await readClaim(store, name, { signal });
    const document = {
      startTimestamp: formatTimestamp(clock.now()),
      owner: 'lifeboat',
      ...(claim?.runId === undefined || claim.purpose === 'delete' ? {} : { runId: claim.runId }),
    };
    const body = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
    await store.put(markKey, body, { contentType: 'application/json', signal });
  }
}

/**
 * Whether the deletion of a backup has begun. A mark is never taken back: such a backup may have lost any of its snapshots.
 *
 * @throws {ObjectStoreError} when the store cannot tell.
 */
export async function isMarkedForDeletion(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<boolean> {
  return (await store.stat(deletionMarkKey(name), { signal })) !== undefined;
}

/**
 * Reads which run made a backup that is marked for deletion; `undefined` when there is no mark, or none that tells.
 *
 * @throws {ObjectStoreError} when the store cannot tell.
 */
export async function runOfMarkedBackup(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<string | undefined> {
  const target = deletionMarkKey(name);
  try {
    const body = await store.get(target, { signal });
    const bytes = await readAll(body, { maximumBytes: maximumMarkBytes, target });
    const document = parseJson(new TextDecoder().decode(bytes));
    return isJsonObject(document) ? stringAt(document, ['runId']) : undefined;
  } catch (error) {
    if (isLifeboatError(error, 'NotFound') || !isLifeboatError(error)) {
      signal?.throwIfAborted();
      return undefined;
    }
    throw error;
  }
}
