import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 500;

const root =
  process.env['LIFEBOAT_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lifeboat');

/** Where the servers are kept, outside the checkout: built once per machine, not once per clone. */
export const cachePath: string = join(root, 'object-stores');

/** Where the Velero that the tests stand beside is kept, likewise. */
export const veleroCachePath: string = join(root, 'velero');

/**
 * Returns the path of a folder of the cache, made on the first call.
 *
 * - It appears by a rename: it is whole or absent, and what a crash leaves is never taken for it.
 * - Of concurrent calls, in any process, one makes it and the others wait.
 */
export async function cachedFolder(
  name: string,
  make: (partialPath: string) => Promise<void>,
  report: (line: string) => void,
  parent: string = cachePath,
): Promise<string> {
  const path = join(parent, name);
  await mkdir(parent, { recursive: true });
  if (await exists(path)) return path;
  await using _lock = await acquireLock(`${path}.lock`, () => report(`waiting for ${name}`));
  if (await exists(path)) return path;
  const partialPath = `${path}.partial-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(partialPath);
    await make(partialPath);
    await rename(partialPath, path);
  } finally {
    await rm(partialPath, { recursive: true, force: true });
  }
  return path;
}

/** Whether a process runs, ours or not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

// The lock only saves work: should two processes ever hold it, each makes a folder of its own and the rename decides.
/**
 * Takes a lock that the processes of this machine share, as soon as whoever holds it has let go of it or has died; told once if it has
 * to wait.
 */
export async function acquireLock(path: string, onWait: () => void): Promise<AsyncDisposable> {
  let told = false;
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => String(process.pid)));
    if (owner > 0 && !isRunning(owner)) await rm(path, { force: true });
    if (!told) onWait();
    told = true;
    await sleep(pollMs);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
