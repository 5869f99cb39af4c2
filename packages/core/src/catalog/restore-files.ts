import { isLifeboatError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import { stringAt } from '../model/object-path.ts';
import type { Restore } from '../model/restore.ts';
import { parseUntrustedJson } from '../model/untrusted-json.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import {
  type RestoreJsonArtifact,
  type RestoreTextArtifact,
  restoreArtifacts,
} from './artifact.ts';
import { gzipJson, gzipText } from './gzip-json.ts';
import { restoreDirectory, restoreKey } from './key-layout.ts';

/** Stores one of a restore's JSON files, replacing it if it exists. */
export async function putRestoreArtifact(
  store: ObjectStore,
  name: string,
  artifact: RestoreJsonArtifact,
  value: JsonValue,
  options: CallOptions = {},
): Promise<void> {
  await putCompressedRestoreArtifact(store, name, artifact, await gzipJson(value), options);
}

/** Stores one of a restore's JSON files that is compressed already, replacing it if it exists. */
export async function putCompressedRestoreArtifact(
  store: ObjectStore,
  name: string,
  artifact: RestoreJsonArtifact,
  bytes: Uint8Array,
  { signal }: CallOptions = {},
): Promise<void> {
  const { contentType } = restoreArtifacts[artifact];
  await store.put(restoreKey(name, artifact), bytes, { contentType, signal });
}

/** Stores one of a restore's text files, replacing it if it exists. */
export async function putRestoreText(
  store: ObjectStore,
  name: string,
  artifact: RestoreTextArtifact,
  text: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const { contentType } = restoreArtifacts[artifact];
  await store.put(restoreKey(name, artifact), await gzipText(text), { contentType, signal });
}

const maximumRestoreBytes = 16 * 1024 * 1024;

/** Stores the description of a restore, by which its files are found when its backup is deleted. */
export async function putRestore(
  store: ObjectStore,
  restore: Restore,
  { signal }: CallOptions = {},
): Promise<void> {
  const { contentType } = restoreArtifacts.restore;
  const body = Buffer.from(`${JSON.stringify(restore, undefined, 2)}\n`);
  await store.put(restoreKey(restore.metadata.name, 'restore'), body, { contentType, signal });
}

/**
 * Reads which backup a restore was made from; `undefined` when its files do not tell, as those of Velero, or are damaged.
 */
export async function readBackupNameOfRestore(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<string | undefined> {
  const target = restoreKey(name, 'restore');
  try {
    const body = await store.get(target, { signal });
    const bytes = await readAll(body, { maximumBytes: maximumRestoreBytes, target });
    const restore = parseUntrustedJson(new TextDecoder().decode(bytes));
    return isJsonObject(restore) ? stringAt(restore, ['spec', 'backupName']) : undefined;
  } catch (error) {
    if (isUnreadable(error)) {
      return undefined;
    }
    throw error;
  }
}

function isUnreadable(error: unknown): boolean {
  return (
    error instanceof SyntaxError ||
    isLifeboatError(error, 'NotFound') ||
    isLifeboatError(error, 'CorruptBackup')
  );
}

/** Deletes every file of a restore, its description last, so that what an interrupted call leaves is found again. */
export async function deleteRestoreFiles(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const last = restoreKey(name, 'restore');
  const keys = await Array.fromAsync(
    store.list(restoreDirectory(name), { signal }),
    ({ key }) => key,
  );
  for (const key of keys.filter((candidate) => candidate !== last)) {
    await store.delete(key, { signal });
  }
  await store.delete(last, { signal });
}
