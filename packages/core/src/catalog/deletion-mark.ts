import { isLifeboatError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import { isJsonObject, parseJson } from '../model/json.ts';
import { stringAt } from '../model/object-path.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupDirectory, backupKey, deletionMarkKey } from './key-layout.ts';
import { readClaim } from './stored-claim.ts';

const maximumMarkBytes = 64 * 1024;

/** Options of {@link markDeletion}. */
export interface MarkDeletionOptions extends CallOptions {
  readonly clock: Clock;
}

/**
 * Marks a backup whose deletion begins, before the first of its snapshots is freed: from then on it may be a backup without
 * its data although its files are all there. The mark remembers the run that made the backup, whose objects in the cluster
 * carry its id, and whether that run had come to its end. A directory without any file stays without one; a mark that stands
 * is kept.
 */
export async function markDeletion(
  store: ObjectStore,
  name: string,
  { clock, signal }: MarkDeletionOptions,
): Promise<void> {
  const markKey = deletionMarkKey(name);
  let isEmpty = true;
  let isComplete = false;
  for await (const { key } of store.list(backupDirectory(name), { signal })) {
    isEmpty = false;
    isComplete ||= key === backupKey(name, 'backup');
    if (key === markKey) {
      return;
    }
  }
  if (!isEmpty) {
    const claim = await readClaim(store, name, { signal });
    const document = {
      startTimestamp: formatTimestamp(clock.now()),
      owner: 'lifeboat',
      ...(claim?.backupRunId === undefined ? {} : { runId: claim.backupRunId }),
      ...(isComplete ? {} : { unfinished: true }),
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

/** What the mark of a deletion tells of the backup. */
export interface DeletionMark {
  /** The run that made it, or was making it; absent when that was not known. */
  readonly runId?: string | undefined;
  /** Whether that run had not come to its end when the deletion began. */
  readonly isUnfinished: boolean;
}

/**
 * Reads the mark of a backup's deletion; `undefined` when there is none. A damaged mark tells nothing of the run.
 *
 * @throws {ObjectStoreError} when the store cannot tell.
 */
export async function readDeletionMark(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<DeletionMark | undefined> {
  const target = deletionMarkKey(name);
  try {
    const body = await store.get(target, { signal });
    const bytes = await readAll(body, { maximumBytes: maximumMarkBytes, target });
    const document = parseJson(new TextDecoder().decode(bytes));
    return isJsonObject(document)
      ? { runId: stringAt(document, ['runId']), isUnfinished: document['unfinished'] === true }
      : { isUnfinished: false };
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return undefined;
    }
    if (!isLifeboatError(error)) {
      signal?.throwIfAborted();
      return { isUnfinished: false };
    }
    throw error;
  }
}
