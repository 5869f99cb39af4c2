import type { Stats } from 'node:fs';
import { lstat, mkdir, open, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ObjectStoreError } from '../errors.ts';
import { systemCodeOf } from './file-system-error.ts';

const folderMode = 0o700;

/** Something that stands in the tree of folders. */
export interface FoundPath {
  readonly path: string;
  readonly stats: Stats;
}

/**
 * The tree of folders that stand for the components of keys. No symbolic link in it is followed, so that nobody who can
 * write there can lead a read or a write out of it; the root itself may be one.
 */
export class ObjectFolders {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * What stands at a key or prefix; `undefined` when nothing does.
   *
   * @throws {ObjectStoreError} code InvalidConfig when it or a folder above it is a symbolic link.
   */
  async find(components: readonly string[]): Promise<FoundPath | undefined> {
    let path = this.#root;
    let stats = await statsOf(path, { follow: true });
    for (const component of components) {
      if (!stats?.isDirectory()) {
        return undefined;
      }
      path = join(path, component);
      stats = await statsOf(path, { follow: false });
      assertNoLink(path, stats);
    }
    return stats === undefined ? undefined : { path, stats };
  }

  /** Makes the folders above a key that are missing, durably, and returns the path of the key. */
  async make(components: readonly string[]): Promise<string> {
    await makeRoot(this.#root);
    let path = this.#root;
    for (const component of components.slice(0, -1)) {
      path = join(path, component);
      await makeFolder(path);
    }
    return join(path, components.at(-1) ?? '');
  }

  /** Removes the folders above a key that have become empty. */
  async prune(components: readonly string[]): Promise<void> {
    for (let depth = components.length - 1; depth > 0; depth -= 1) {
      try {
        await rmdir(join(this.#root, ...components.slice(0, depth)));
      } catch {
        // Not empty, or gone already: so is everything above it.
        return;
      }
    }
  }
}

/** Makes what has happened in a folder survive a crash of the machine. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder for its owner alone, durably; one that exists is good too, a link to one is not. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: folderMode });
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') {
      throw error;
    }
    assertNoLink(path, await statsOf(path, { follow: false }));
    return;
  }
  await syncFolder(dirname(path));
}

// `mkdir` with `recursive` tries for ever where a file system refuses the folder with ENOENT, as /proc does.
async function makeRoot(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: folderMode });
  } catch (error) {
    if (await isFolder(path)) {
      return;
    }
    const parent = dirname(path);
    if (systemCodeOf(error) !== 'ENOENT' || parent === path || (await isFolder(parent))) {
      throw error;
    }
    await makeRoot(parent);
    await makeRoot(path);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await statsOf(path, { follow: true }))?.isDirectory() ?? false;
}

async function statsOf(
  path: string,
  { follow }: { readonly follow: boolean },
): Promise<Stats | undefined> {
  try {
    // A trailing separator makes lstat look at what a link leads to.
    return await lstat(follow ? join(path, '/') : path);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  }
}

function assertNoLink(path: string, stats: Stats | undefined): void {
  if (stats?.isSymbolicLink()) {
    throw new ObjectStoreError(
      `ObjectStore: ${path} is a symbolic link, and links are not followed; remove it`,
      { code: 'InvalidConfig', operation: 'ObjectStore', target: path },
    );
  }
}
