import { readBackup } from '../catalog/backup-files.ts';
import { isMarkedForDeletion } from '../catalog/deletion-mark.ts';
import { backupsDirectory, restoreKey } from '../catalog/key-layout.ts';
import { LifeboatError } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import type { Restore } from '../model/restore.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import type { RestoreRecord } from './restore-record.ts';

const namesInMessage = 10;
const suffixLength = 8;

/**
 * Reads the description of the backup that a restore names.
 *
 * @throws {LifeboatError} code NotFound when the store has no such backup, naming some it has; Conflict when its deletion has
 * begun; Unsupported when its format is of another major version.
 */
export async function findBackup(
  store: ObjectStore,
  { spec }: Restore,
  record: RestoreRecord,
  { signal }: CallOptions,
): Promise<Backup> {
  const backup = await readBackup(store, spec.backupName, { signal });
  if (backup === undefined) {
    const names = await knownNames(store, signal);
    const known =
      names.length === 0 ? 'It holds none' : `It holds, among others: ${names.join(', ')}`;
    throw new LifeboatError(
      `restore: there is no backup ${spec.backupName} in ${store.location}. ${known}`,
      { code: 'NotFound', operation: 'restore', target: spec.backupName },
    );
  }
  if (await isMarkedForDeletion(store, spec.backupName, { signal })) {
    throw new LifeboatError(
      `restore: the deletion of backup ${spec.backupName} in ${store.location} has begun, and some of its snapshots may be gone already. Finish the deletion with deleteBackup, and restore another backup`,
      { code: 'Conflict', operation: 'restore', target: spec.backupName },
    );
  }
  const { phase, formatVersion } = backup.status;
  if (!/^1(?:\.|$)/.test(formatVersion)) {
    throw new LifeboatError(
      `restore: backup ${spec.backupName} in ${store.location} is of format ${formatVersion}, and only format 1 can be read. Restore it with a newer release`,
      { code: 'Unsupported', operation: 'restore', target: spec.backupName },
    );
  }
  if (phase !== 'Completed' && phase !== 'PartiallyFailed') {
    record.addIssue({
      severity: 'warning',
      reason: 'BackupNotComplete',
      message: `backup ${spec.backupName} is in phase ${phase}: it may lack objects, and its snapshots may not be usable`,
    });
  }
  return backup;
}

/**
 * Sees to it that a restore does not overwrite the results of an earlier one of its name: a name that was chosen is refused,
 * a default one, which only tells seconds apart, is made longer.
 *
 * @throws {LifeboatError} code AlreadyExists when the chosen name has results in the store.
 */
export async function withUnusedName(
  store: ObjectStore,
  restore: Restore,
  { isDefault, signal }: CallOptions & { readonly isDefault: boolean },
): Promise<Restore> {
  const { name, uid = '' } = restore.metadata;
  if ((await store.stat(restoreKey(name, 'results'), { signal })) === undefined) {
    return restore;
  }
  if (isDefault) {
    const longer = `${name}-${uid.slice(0, suffixLength)}`;
    return { ...restore, metadata: { ...restore.metadata, name: longer } };
  }
  throw new LifeboatError(
    `restore: ${store.location} has the results of an earlier restore ${name}. Choose another name`,
    { code: 'AlreadyExists', operation: 'restore', target: name },
  );
}

async function knownNames(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const prefix of store.listPrefixes(backupsDirectory, { signal })) {
    names.push(prefix.slice(backupsDirectory.length, -1));
    if (names.length === namesInMessage) {
      break;
    }
  }
  return names;
}
