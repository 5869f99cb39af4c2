import { isMarkedForDeletion } from '../catalog/deletion-mark.ts';
import { backupDirectory, backupsDirectory } from '../catalog/key-layout.ts';
import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import { compareCodePoints } from '../model/json.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { readArchivedSnapshots, readListedSnapshots } from './backup-snapshots.ts';
import { type SnapshotIdentity, type StoredSnapshot, snapshotKeyOf } from './stored-snapshot.ts';

const concurrency = 8;

/**
 * Finds out which snapshots of a backup other backups of the store refer to as well, because a backup was copied there: the
 * names of those backups by {@link snapshotKeyOf}. One whose own deletion has begun does not count, since nobody can restore
 * it. Reads two small files of every other backup, eight backups at a time, and remembers only what is looked for; with nothing
 * to look for it reads nothing.
 *
 * @throws {LifeboatError} code CorruptBackup when another backup cannot be read: it may refer to any of the snapshots.
 */
export async function findSharedSnapshots(
  store: ObjectStore,
  name: string,
  snapshots: readonly SnapshotIdentity[],
  { signal }: CallOptions = {},
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = new Set(snapshots.map(snapshotKeyOf));
  if (wanted.size === 0) {
    return new Map();
  }
  const names = otherBackups(store, name, signal);
  const references = await findReferences(store, names, wanted, signal);
  return findHolders(store, new Set([...references.values()].flat()), snapshots, { signal });
}

/**
 * Which of some backups refer to snapshots and are not being deleted, by {@link snapshotKeyOf}. Each is asked whether its deletion
 * has begun before it is read: whoever has marked his own backup before he asks can be sure that one which is counted here will
 * see his mark, and leaves nothing to him.
 *
 * @throws {LifeboatError} code CorruptBackup as {@link findSharedSnapshots} does.
 */
export async function findHolders(
  store: ObjectStore,
  names: Iterable<string>,
  snapshots: readonly SnapshotIdentity[],
  { signal }: CallOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const kept: string[] = [];
  const ask = async (name: string, workSignal: AbortSignal): Promise<void> => {
    if (!(await isMarkedForDeletion(store, name, { signal: workSignal }))) {
      kept.push(name);
    }
  };
  await runAll(names, ask, { concurrency, signal });
  return findReferences(store, kept, new Set(snapshots.map(snapshotKeyOf)), signal);
}

async function findReferences(
  store: ObjectStore,
  names: Iterable<string> | AsyncIterable<string>,
  wanted: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const holders = new Map<string, string[]>();
  const read = async (name: string, workSignal: AbortSignal): Promise<void> => {
    for (const snapshot of await referencesOf(store, name, workSignal)) {
      const key = snapshotKeyOf(snapshot);
      if (wanted.has(key)) {
        holders.set(key, [...(holders.get(key) ?? []), name].sort(compareCodePoints));
      }
    }
  };
  await runAll(names, read, { concurrency, signal });
  return holders;
}

async function* otherBackups(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  for await (const prefix of store.listPrefixes(backupsDirectory, { signal })) {
    const other = prefix.slice(backupsDirectory.length, -1);
    // What has no name of a backup cannot be read, nor restored from.
    if (other !== name && isDnsSubdomain(other)) {
      yield other;
    }
  }
}

async function referencesOf(
  store: ObjectStore,
  name: string,
  signal: AbortSignal,
): Promise<readonly StoredSnapshot[]> {
  try {
    return await readListedSnapshots(store, name, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'CorruptBackup')) {
      throw error;
    }
  }
  try {
    return await readArchivedSnapshots(store, name, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'CorruptBackup')) {
      throw error;
    }
    throw new LifeboatError(
      `no snapshot is freed, because backup ${name} cannot be read and may refer to it: ${messageOf(error)}. Repair ${backupDirectory(name)} in ${store.location}, or remove its files with catalog.delete`,
      { code: 'CorruptBackup', operation: 'deleteBackup', target: name, cause: error },
    );
  }
}
