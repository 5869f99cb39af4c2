import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEngine, FileSystemObjectStore, MemoryObjectStore, Resources } from '@lifeboat/core';
import { FakeCluster } from '@lifeboat/core/testing';
import { describe, expect, it } from 'vitest';

const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };

const execute = promisify(execFile);

const diskBytes = 1024 * 1024;
const dataParts = 8;

/** ConfigMaps that no compression brings below the size of the disk. */
async function clusterWithData(): Promise<FakeCluster> {
  const cluster = new FakeCluster();
  cluster.seed(
    Array.from({ length: dataParts }, (_, part) => ({
      ...{ apiVersion: 'v1', kind: 'ConfigMap' },
      metadata: { namespace: 'shop', name: `part-${part}` },
      data: { random: randomBytes(diskBytes / 4).toString('base64') },
    })),
  );
  return cluster;
}

/** A file system that is soon full. */
class SmallDisk implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async mount(): Promise<SmallDisk> {
    const directory = await mkdtemp(join(tmpdir(), 'lifeboat-disk-'));
    try {
      await execute('mount', [
        '-t',
        'tmpfs',
        '-o',
        `size=${diskBytes},mode=0700`,
        'tmpfs',
        directory,
      ]);
    } catch (error) {
      await rm(directory, { recursive: true });
      throw error;
    }
    return new SmallDisk(directory);
  }

  /** Every file on it. */
  async files(): Promise<readonly string[]> {
    const entries = await readdir(this.directory, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.directory);
    return bavail * bsize;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await execute('umount', ['--lazy', this.directory]);
    await rm(this.directory, { recursive: true });
  }
}

/** Whether this process may mount a file system: mostly, whether it is root. */
async function mayMount(): Promise<boolean> {
  try {
    await using _disk = await SmallDisk.mount();
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!(await mayMount()))('a disk of one MiB that is full', { timeout: 120_000 }, () => {
  it('fails a backup, of which nothing is left: the same name works once there is room', async () => {
    await using disk = await SmallDisk.mount();
    await using cluster = await clusterWithData();
    const directory = join(disk.directory, 'store');
    await using store = new FileSystemObjectStore({ directory });
    const engine = createEngine({ cluster, store });
    await expect(engine.backup(request)).rejects.toMatchObject({
      ...{ name: 'ObjectStoreError', code: 'Unavailable', retryable: true },
      operation: 'ObjectStore.put',
      message: expect.stringContaining('no room') as string,
    });
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
    expect(await disk.files()).toEqual([]);

    for (let part = 0; part < dataParts; part += 1) {
      await cluster.delete({ ...Resources.configMaps, namespace: 'shop', name: `part-${part}` });
    }
    const { backup } = await engine.backup(request);
    expect(backup.status.phase).toBe('Completed');
    expect(await engine.verify('first')).toMatchObject({ intact: true });
  });

  it('fails a restore whose temporary file it cannot hold, before anything is created', async () => {
    await using disk = await SmallDisk.mount();
    await using source = await clusterWithData();
    const store = new MemoryObjectStore();
    await createEngine({ cluster: source, store }).backup(request);
    await using target = new FakeCluster();
    const engine = createEngine({ cluster: target, store });
    const tempDirectory = disk.directory;
    const restore = engine.restore({ spec: { backupName: 'first' } }, { tempDirectory });
    await expect(restore).rejects.toMatchObject({
      ...{ code: 'Unavailable', operation: 'restore', target: tempDirectory },
      message: expect.stringContaining('name another folder as tempDirectory') as string,
    });
    const shop = await target.get({ ...Resources.namespaces, name: 'shop' });
    expect(shop).toBeUndefined();
    expect(await disk.files()).toEqual([]);
    expect(await disk.freeBytes()).toBeGreaterThan(diskBytes / 2);
  });
});
