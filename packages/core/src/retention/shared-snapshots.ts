import { backupDirectory, backupsDirectory } from '../catalog/key-layout.ts';
import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import { compareCodePoints } from '../model/json.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { readArchivedSnapshots, readListedSnapshots } from './backup-snapshots.ts';
import { type StoredSnapshot, snapshotKeyOf } from './stored-snapshot.ts';

const concurrency = 8;

/**
 * Finds out which snapshots of a backup other backups of the store refer to as well, because a backup was copied there: the
 * names of those backups by {@link snapshotKeyOf}. Reads two small files of every other backup, eight backups at a time, and
 * remembers only what is looked for; with nothing to look for it reads nothing.
 *
 * @throws {LifeboatError} code CorruptBackup when another backup cannot be read: it may refer to any of the snapshots.
 */
export async function findSharedSnapshots(
  store: ObjectStore,
  name: string,
  snapshots: readonly StoredSnapshot[],
  { signal }: CallOptions = {},
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = new Set(snapshots.map(snapshotKeyOf));
  const holders = new Map<string, string[]>();
  if (wanted.size === 0) {
    return holders;
  }
  await runAll(
    otherBackups(store, name, signal),
    async (other, workSignal) => {
      for (const snapshot of await referencesOf(store, other, workSignal)) {
        const key = snapshotKeyOf(snapshot);
        if (wanted.has(key)) {
          holders.set(key, [...(holders.get(key) ?? []), other].sort(compareCodePoints));
        }
      }
    },
    { concurrency, signal },
  );
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
