import type { ArchiveIndex } from '../archive/archive-index.ts';
import { isLifeboatError, LifeboatError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import type { Backup } from '../model/backup.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import {
  type BackupArtifact,
  type BackupJsonArtifact,
  type BackupTextArtifact,
  backupArtifacts,
} from './artifact.ts';
import { decodeArchiveIndex } from './artifacts/archive-index-json.ts';
import { decodeBackup, encodeBackup } from './artifacts/backup-json.ts';
import {
  type BackupManifest,
  decodeBackupManifest,
  encodeBackupManifest,
} from './artifacts/backup-manifest.ts';
import { createObject } from './create-object.ts';
import {
  type GunzipJsonOptions,
  gunzipJson,
  gzipJson,
  gzipJsonList,
  gzipText,
} from './gzip-json.ts';
import { backupFileName, backupKey } from './key-layout.ts';
import { type StoredFile, storedFile } from './stored-file.ts';

type JsonFileLimits = Pick<GunzipJsonOptions, 'maximumBytes' | 'maximumValues'>;

const mebibyte = 1024 * 1024;
/** A file larger than these is refused: no backup of any size that a cluster can hold comes near. */
const maximumCompressedBytes = 64 * mebibyte;
// An index has eleven values for each object, no other file more than one, or some dozens for each volume.
const indexLimits: JsonFileLimits = { maximumBytes: 256 * mebibyte, maximumValues: 16_000_000 };
const jsonLimits: JsonFileLimits = { maximumBytes: 128 * mebibyte, maximumValues: 4_000_000 };
const maximumBackupBytes = 16 * mebibyte;

/** Stores one of a backup's JSON files, replacing it if it exists. */
export async function putArtifact(
  store: ObjectStore,
  name: string,
  artifact: BackupJsonArtifact,
  value: JsonValue,
  options: CallOptions = {},
): Promise<StoredFile> {
  return putFile(store, name, artifact, await gzipJson(value), options);
}

/** Stores one of a backup's JSON files that hold a list, of which one value at a time is in memory besides what is compressed. */
export async function putArtifactList(
  store: ObjectStore,
  name: string,
  artifact: BackupJsonArtifact,
  values: AsyncIterable<JsonValue>,
  options: CallOptions = {},
): Promise<StoredFile> {
  return putFile(store, name, artifact, await gzipJsonList(values), options);
}

/** Stores one of a backup's text files, replacing it if it exists. */
export async function putText(
  store: ObjectStore,
  name: string,
  artifact: BackupTextArtifact,
  text: string,
  options: CallOptions = {},
): Promise<StoredFile> {
  return putFile(store, name, artifact, await gzipText(text), options);
}

/** Stores one of a backup's JSON files that is compressed already. */
export async function putCompressed(
  store: ObjectStore,
  name: string,
  artifact: BackupJsonArtifact,
  bytes: Uint8Array,
  options: CallOptions = {},
): Promise<StoredFile> {
  return putFile(store, name, artifact, bytes, options);
}

/** Stores the manifest of a backup. */
export async function putManifest(
  store: ObjectStore,
  manifest: BackupManifest,
  options: CallOptions = {},
): Promise<void> {
  const bytes = Buffer.from(encodeBackupManifest(manifest));
  await putFile(store, manifest.backup.name, 'manifest', bytes, options);
}

/**
 * Reads the manifest of a backup; `undefined` when it has none: Velero writes none.
 *
 * @throws {LifeboatError} code CorruptBackup when it is damaged.
 */
export async function readManifest(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<BackupManifest | undefined> {
  const target = backupKey(name, 'manifest');
  const bytes = await readObject(store, target, maximumBackupBytes, signal);
  return bytes && decodeBackupManifest(bytes, target);
}

/**
 * Reads where in a backup's archive each object lies; `undefined` when the backup has no index: Velero writes none.
 *
 * @throws {LifeboatError} code CorruptBackup when it is damaged.
 */
export async function readArchiveIndex(
  store: ObjectStore,
  name: string,
  options: CallOptions = {},
): Promise<ArchiveIndex | undefined> {
  const value = await readArtifact(store, name, 'index', options);
  return value === undefined ? undefined : decodeArchiveIndex(value, backupKey(name, 'index'));
}

async function putFile(
  store: ObjectStore,
  name: string,
  artifact: BackupArtifact,
  bytes: Uint8Array,
  { signal }: CallOptions,
): Promise<StoredFile> {
  const { contentType } = backupArtifacts[artifact];
  await store.put(backupKey(name, artifact), bytes, { contentType, signal });
  return storedFile(backupFileName(name, artifact), bytes);
}

/**
 * Reads one of a backup's JSON files; `undefined` when it is missing, which means the same as its empty value. `null`, which
 * Velero writes for an empty list, is returned as it is: see {@link readArtifactList}.
 *
 * @throws {LifeboatError} code CorruptBackup when it is empty, damaged, or unreasonably large: 64 MiB compressed, 128 MiB of JSON
 * (256 MiB of an index), 4,000,000 values (16,000,000), 500 levels.
 */
export async function readArtifact(
  store: ObjectStore,
  name: string,
  artifact: BackupJsonArtifact,
  { signal }: CallOptions = {},
): Promise<JsonValue | undefined> {
  const target = backupKey(name, artifact);
  const bytes = await readObject(store, target, maximumCompressedBytes, signal);
  const limits = artifact === 'index' ? indexLimits : jsonLimits;
  return bytes && (await gunzipJson(bytes, { target, ...limits }));
}

/**
 * Reads one of a backup's files that hold a list of objects. Missing, `null` and `[]` all read as an empty list.
 *
 * @throws {LifeboatError} code CorruptBackup as {@link readArtifact} does, and when it holds anything else.
 */
export async function readArtifactList(
  store: ObjectStore,
  name: string,
  artifact: BackupJsonArtifact,
  options: CallOptions = {},
): Promise<readonly JsonObject[]> {
  const value = (await readArtifact(store, name, artifact, options)) ?? [];
  if (isJsonArray(value) && value.every(isJsonObject)) {
    return value;
  }
  const target = backupKey(name, artifact);
  throw new LifeboatError(`${target} does not hold a list of objects: the file is damaged`, {
    code: 'CorruptBackup',
    operation: 'catalog.read',
    target,
  });
}

/**
 * Opens a backup's archive for reading.
 *
 * @throws {LifeboatError} code CorruptBackup when the archive is missing: without it the backup cannot be restored.
 */
export async function openArchive(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  const target = backupKey(name, 'archive');
  try {
    return await store.get(target, { signal });
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      throw new LifeboatError(
        `backup ${name} has no archive: ${target} is missing in ${store.location}. Only its description is left; it cannot be restored`,
        { code: 'CorruptBackup', operation: 'catalog.openArchive', target, cause: error },
      );
    }
    throw error;
  }
}

/** What {@link putBackup} will store, for the manifest, which comes before it. */
export function describeBackupFile(backup: Backup): StoredFile {
  const { name } = backup.metadata;
  return storedFile(backupFileName(name, 'backup'), Buffer.from(encodeBackup(backup)));
}

/**
 * Stores `velero-backup.json`: the last file of a backup, written once, because from then on every reader takes the backup
 * for complete.
 *
 * @throws {LifeboatError} code AlreadyExists when another writer has stored a backup of this name. A repetition of a call
 * that had succeeded without its caller knowing is not one: the uid tells.
 */
export async function putBackup(
  store: ObjectStore,
  backup: Backup,
  { signal }: CallOptions = {},
): Promise<void> {
  const { name, uid } = backup.metadata;
  const key = backupKey(name, 'backup');
  const { contentType } = backupArtifacts.backup;
  try {
    await createObject(store, key, Buffer.from(encodeBackup(backup)), { contentType, signal });
  } catch (error) {
    if (!isLifeboatError(error, 'AlreadyExists')) {
      throw error;
    }
    if (uid === undefined || (await storedUid(store, name, signal)) !== uid) {
      throw error;
    }
  }
}

async function storedUid(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return (await readBackup(store, name, { signal }))?.metadata.uid;
  } catch (error) {
    // What we store is whole or absent: a damaged one is not ours.
    if (isLifeboatError(error, 'CorruptBackup')) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Reads `velero-backup.json`; `undefined` when it is missing.
 *
 * @throws {LifeboatError} code CorruptBackup when it is not the description of a backup of this name.
 */
export async function readBackup(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<Backup | undefined> {
  const target = backupKey(name, 'backup');
  const bytes = await readObject(store, target, maximumBackupBytes, signal);
  return bytes && decodeBackup(bytes, { name, target });
}

/** Whether a backup of this name is complete: its `velero-backup.json` exists. */
export async function backupExists(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<boolean> {
  return (await store.stat(backupKey(name, 'backup'), { signal })) !== undefined;
}

async function readObject(
  store: ObjectStore,
  target: string,
  maximumBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  let body: AsyncIterable<Uint8Array>;
  try {
    body = await store.get(target, { signal });
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return undefined;
    }
    throw error;
  }
  return readAll(body, { maximumBytes, target });
}
