import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareCodePoints } from '../model/json.ts';
import type { ObjectStat } from '../ports/object-store.ts';
import { systemCodeOf } from './file-system-error.ts';
import { isValidKey } from './key-rules.ts';

/** A file or folder with the key or prefix that it stands for. */
interface KeyedEntry {
  readonly path: string;
  /** Ends in `/` for a folder. */
  readonly key: string;
  readonly isFolder: boolean;
}

/**
 * Yields the objects below a folder in key order, reading one folder after the other as it goes. `prefix` is what their keys
 * start with. Symbolic links, special files, names that no key can have and what stands at `hiddenPath` are passed over.
 */
export async function* walkObjects(
  folder: string,
  prefix: string,
  hiddenPath: string,
): AsyncGenerator<ObjectStat> {
  for (const { path, key, isFolder } of await entriesOf(folder, prefix, hiddenPath)) {
    if (isFolder) {
      yield* walkObjects(path, key, hiddenPath);
      continue;
    }
    const stats = await unlessGone(lstat(path));
    if (stats?.isFile()) {
      yield { key, sizeBytes: stats.size, lastModified: stats.mtime };
    }
  }
}

/** Yields the prefixes right below a folder under which there is an object, in key order. */
export async function* walkPrefixes(
  folder: string,
  prefix: string,
  hiddenPath: string,
): AsyncGenerator<string> {
  for (const { path, key, isFolder } of await entriesOf(folder, prefix, hiddenPath)) {
    if (isFolder && (await holdsObject(path, key, hiddenPath))) {
      yield key;
    }
  }
}

async function holdsObject(folder: string, prefix: string, hiddenPath: string): Promise<boolean> {
  const { done } = await walkObjects(folder, prefix, hiddenPath).next();
  return done !== true;
}

async function entriesOf(
  folder: string,
  prefix: string,
  hiddenPath: string,
): Promise<readonly KeyedEntry[]> {
  const entries = (await unlessGone(readdir(folder, { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .filter(({ name }) => isValidKey(prefix + name) && join(folder, name) !== hiddenPath)
    .map((entry) => ({
      path: join(folder, entry.name),
      // With its slash a folder sorts as the keys below it do: "a-b" comes before "a/b".
      key: prefix + entry.name + (entry.isDirectory() ? '/' : ''),
      isFolder: entry.isDirectory(),
    }))
    .sort((left, right) => compareCodePoints(left.key, right.key));
}

async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  }
}
