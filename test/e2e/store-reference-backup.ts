import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ObjectStore } from '@lifeboat/core';
import { pack } from 'tar-stream';
import { readEntries } from './backup-directory.ts';

/** Which backup of test/vectors to store, and how. */
export interface StoredReference {
  /** Its folder. */
  readonly vector: string;
  /** Its name there. */
  readonly name: string;
  readonly store: ObjectStore;
  /** Gives texts and names of the backup those that things have here. */
  readonly rename: (text: string) => string;
}

/**
 * Stores a backup that Velero made, entry for entry, with the names that things have here, and returns its name. Classes of snapshots
 * are left out, since tests at the same time share those of the cluster.
 */
export async function storeReferenceBackup(reference: StoredReference): Promise<string> {
  const { vector, name, store, rename } = reference;
  const folder = join(import.meta.dirname, '../vectors', vector);
  const ours = rename(name);
  for (const file of await readdir(folder)) {
    const bytes = await readFile(join(folder, file));
    await store.put(`backups/${ours}/${rename(file)}`, await renamed(file, bytes, rename));
  }
  return ours;
}

async function renamed(
  file: string,
  bytes: Buffer,
  rename: StoredReference['rename'],
): Promise<Uint8Array> {
  if (file.endsWith('.tar.gz')) {
    return renamedArchive(bytes, rename);
  }
  return file.endsWith('.gz')
    ? gzipSync(rename(gunzipSync(bytes).toString()))
    : Buffer.from(rename(bytes.toString()));
}

async function renamedArchive(
  bytes: Buffer,
  rename: StoredReference['rename'],
): Promise<Uint8Array> {
  const archive = pack();
  const chunks: Buffer[] = [];
  archive.on('data', (chunk) => chunks.push(chunk as Buffer));
  for (const { path, text } of await readEntries(bytes)) {
    if (!path.startsWith('resources/volumesnapshotclasses.')) {
      archive.entry({ name: rename(path), mode: 0o755 }, rename(text));
    }
  }
  archive.finalize();
  await once(archive, 'end');
  return gzipSync(Buffer.concat(chunks));
}
