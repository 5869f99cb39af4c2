import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { silentLogger } from '../internal/silent-logger.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import type { BackupJsonArtifact } from './artifact.ts';
import { encodeBackup } from './artifacts/backup-json.ts';
import { BackupCatalog } from './backup-catalog.ts';
import { openArchive, readArtifact, readArtifactList } from './backup-files.ts';
import { gzipJson } from './gzip-json.ts';
import { backupDirectory, backupKey } from './key-layout.ts';

// The directory of the backup `default`, made by Velero 1.18.
const directory = join(import.meta.dirname, '../../../../test/vectors/seed-csi');

async function storeWithVeleroBackup(): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore();
  for (const file of await readdir(directory)) {
    await store.put(backupDirectory('default') + file, await readFile(join(directory, file)));
  }
  return store;
}

async function bytesOf(store: MemoryObjectStore, key: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(await store.get(key)));
}

describe('the directory of a backup that Velero made', () => {
  it('is listed, and its description is written back byte for byte', async () => {
    const store = await storeWithVeleroBackup();
    const backups = await Array.fromAsync(new BackupCatalog(store, silentLogger).list());
    expect(backups.map(encodeBackup)).toEqual([
      (await bytesOf(store, backupKey('default', 'backup'))).toString(),
    ]);
  });

  it.each<BackupJsonArtifact>([
    'itemOperations',
    'podVolumeBackups',
    'resourceList',
    'results',
    'volumeInfo',
    'volumeSnapshots',
  ])('has %s, whose JSON is written back byte for byte', async (artifact) => {
    const store = await storeWithVeleroBackup();
    const value = await readArtifact(store, 'default', artifact);
    expect(gunzipSync(await gzipJson(value ?? null)).toString()).toBe(
      gunzipSync(await bytesOf(store, backupKey('default', artifact))).toString(),
    );
  });

  it('has the handle of its snapshot, and none of the lists that Velero 1.18 no longer writes', async () => {
    const store = await storeWithVeleroBackup();
    expect(await readArtifactList(store, 'default', 'volumeInfo')).toMatchObject([
      { backupMethod: 'CSISnapshot', csiSnapshotInfo: { driver: 'hostpath.csi.k8s.io' } },
    ]);
    expect(await readArtifactList(store, 'default', 'csiVolumeSnapshots')).toEqual([]);
    expect(await readArtifactList(store, 'default', 'podVolumeBackups')).toEqual([]);
  });

  it('has an archive', async () => {
    const archive = await openArchive(await storeWithVeleroBackup(), 'default');
    expect(Buffer.concat(await Array.fromAsync(archive)).length).toBeGreaterThan(0);
  });
});
