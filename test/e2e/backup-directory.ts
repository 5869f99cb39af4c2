import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import { type JsonObject, type JsonValue, parseJson } from '@lifeboat/core';
import { extract } from 'tar-stream';
import { isJsonObject } from '../../packages/core/src/model/json.ts';
import { type ObjectPath, stringAt } from '../../packages/core/src/model/object-path.ts';

/** One file of an archive. */
export interface ArchiveEntry {
  readonly path: string;
  /** Everything in its header that is the same for every file of an archive. */
  readonly header: JsonObject;
  readonly text: string;
}

/** The directory of a backup, with what differs from one backup to the next replaced by what it stands for. */
export interface BackupDirectory {
  /** The names of its files, in order. */
  readonly files: readonly string[];
  readonly entries: readonly ArchiveEntry[];
  /** File name → its text, unpacked, of every file but the archive. */
  readonly texts: ReadonlyMap<string, string>;
}

/** What a backup is of. Its names must be unlike any other word. */
export interface BackupIdentity {
  readonly backup: string;
  readonly namespace: string;
}

/** Reads the directory of the backup of one namespace with one claim. */
export async function readBackupDirectory(
  folder: string,
  identity: BackupIdentity,
): Promise<BackupDirectory> {
  const names = await readdir(folder);
  const entries = await readEntries(await readFile(join(folder, `${identity.backup}.tar.gz`)));
  const neutral = neutraliser(entries, identity);
  const texts = new Map<string, string>();
  for (const name of names.filter((file) => !file.endsWith('.tar.gz'))) {
    const bytes = await readFile(join(folder, name));
    const text = name.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString();
    texts.set(neutral(name), neutral(text));
  }
  return {
    files: names.map(neutral).sort(),
    entries: entries.map(({ path, header, text }) => ({
      path: neutral(path),
      header,
      text: neutral(text),
    })),
    texts,
  };
}

/** Reads the files of an archive, as they are. */
export async function readEntries(archive: Uint8Array): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  const unpacker = extract();
  unpacker.on('entry', (header, stream, next) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => chunks.push(chunk as Buffer));
    stream.on('end', () => {
      const { name: path, type = '', mode = 0, uid = 0, gid = 0 } = header;
      const kept = { type, mode: mode.toString(8), uid, gid };
      entries.push({ path, header: kept, text: Buffer.concat(chunks).toString() });
      next();
    });
  });
  await pipeline([gunzipSync(archive)], unpacker);
  return entries;
}

/** Replaces names, handles, uids and times by what they stand for, and names of ours by those of the reference. */
function neutraliser(
  entries: readonly ArchiveEntry[],
  { backup, namespace }: BackupIdentity,
): (text: string) => string {
  const volume = firstObject(entries, 'persistentvolumes');
  const content = firstObject(entries, 'volumesnapshotcontents.snapshot.storage.k8s.io');
  const textAt = (object: JsonObject, path: ObjectPath): string =>
    stringAt(object, path) ?? 'missing';
  const replacements: readonly (readonly [string | RegExp, string])[] = [
    [/"managedFields":\s*\[[^\]]*\]/g, '"managedFields":"<fields>"'],
    [/"resourceVersion":\s*"\d+"/g, '"resourceVersion":"<version>"'],
    [/"creationTime":\d{16,}/g, '"creationTime":"<nanoseconds>"'],
    [textAt(content, ['spec', 'driver']), '<driver>'],
    [/\d+-\d+-<driver>/g, '<provisioner>'],
    [textAt(volume, ['metadata', 'name']), '<volume>'],
    [textAt(volume, ['spec', 'csi', 'volumeHandle']), '<volume handle>'],
    [`"volumeHandle":"<volume>"`, '"volumeHandle":"<volume handle>"'],
    [textAt(content, ['status', 'snapshotHandle']), '<snapshot handle>'],
    [textAt(content, ['spec', 'volumeSnapshotClassName']), '<class>'],
    [textAt(volume, ['spec', 'storageClassName']), '<class>'],
    [namespace, 'default'],
    [backup, 'default'],
    [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>'],
    [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
    [/velero-local-pvc-[a-z0-9]{5}\b/g, '<snapshot>'],
  ];
  return (text) => replacements.reduce((so, [from, to]) => so.replaceAll(from, to), text);
}

/** The first object of a resource in an archive. */
export function firstObject(entries: readonly ArchiveEntry[], groupResource: string): JsonObject {
  const found = entries.find(({ path }) => path.startsWith(`resources/${groupResource}/`));
  const object: JsonValue = parseJson(found?.text ?? 'null');
  if (!isJsonObject(object)) {
    throw new Error(`the archive has no object of ${groupResource}`);
  }
  return object;
}
