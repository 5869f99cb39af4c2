import { expect, it } from 'vitest';
import { backupDirectory, backupKey, deletionMarkKey } from '../catalog/key-layout.ts';
import { readAll } from '../internal/read-all.ts';
import { Resources } from '../model/resources.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCsiStorage } from '../testing/fake-cluster/csi/fake-csi-storage.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const name = 'nightly';

interface Scene extends AsyncDisposable {
  readonly cluster: FakeCluster;
  readonly store: MemoryObjectStore;
  readonly engine: Engine;
}

async function backedUpShop(): Promise<Scene> {
  const cluster = new FakeCluster({ csiStorage: new FakeCsiStorage() });
  const store = new MemoryObjectStore();
  const engine = createEngine({ cluster, store });
  const metadata = { name: 'data', namespace: 'shop' };
  await cluster.create(Resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
  });
  await cluster.create(Resources.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: {
      storageClassName: 'fake-csi',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '30Mi' } },
    },
  });
  await cluster.settle();
  await engine.backup({ name, spec: { includedNamespaces: ['shop'] } });
  return { cluster, store, engine, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function bytesOf(store: MemoryObjectStore, key: string): Promise<Uint8Array> {
  return readAll(await store.get(key), { maximumBytes: 1e9 });
}

it('a backup that was just made is intact, and nothing is left behind', async () => {
  await using scene = await backedUpShop();
  const result = await scene.engine.verify(name);
  expect(result).toMatchObject({
    intact: true,
    heldAgainst: 'digests',
    snapshots: 1,
    issues: [],
    backup: { metadata: { name } },
  });
  expect(result.objects).toBe(result.backup.status.progress?.itemsBackedUp);
  const contents = scene.cluster.list(Resources.volumeSnapshotContents);
  expect(await Array.fromAsync(contents)).toEqual([]);
  expect(scene.cluster.csi.storage.snapshots.size).toBe(1);
});

it('a backup without manifest and index, as Velero makes it, is read all the same', async () => {
  await using scene = await backedUpShop();
  await scene.store.delete(backupKey(name, 'manifest'));
  await scene.store.delete(backupKey(name, 'index'));
  expect(await scene.engine.verify(name)).toMatchObject({
    intact: true,
    heldAgainst: 'structure',
    snapshots: 1,
    issues: [],
  });
});

it('a byte that has changed in any file, or a file that is missing, is found', async () => {
  await using scene = await backedUpShop();
  const { store, engine } = scene;
  const entries = await Array.fromAsync(store.list(backupDirectory(name)));
  const keys = entries
    .map(({ key }) => key)
    .filter((key) => !/velero-backup\.json|claim\.json/.test(key));
  expect(keys.length).toBeGreaterThan(8);
  for (const key of keys) {
    const good = await bytesOf(store, key);
    const bad = Uint8Array.from(good);
    const middle = Math.floor(bad.byteLength / 2);
    bad[middle] = (bad[middle] ?? 0) ^ 0x55;
    await store.put(key, bad);
    expect(await engine.verify(name, { snapshots: false }), key).toMatchObject({ intact: false });
    await store.delete(key);
    if (!key.endsWith('manifest.json')) {
      expect(await engine.verify(name, { snapshots: false }), key).toMatchObject({ intact: false });
    }
    await store.put(key, good);
  }
  expect(await engine.verify(name)).toMatchObject({ intact: true });
});

it('a description that somebody has edited is found', async () => {
  await using scene = await backedUpShop();
  const key = backupKey(name, 'backup');
  const text = Buffer.from(await bytesOf(scene.store, key)).toString();
  await scene.store.put(key, Buffer.from(text.replace('"shop"', '"shoq"')));
  expect((await scene.engine.verify(name)).issues).toMatchObject([
    { severity: 'error', reason: 'FileDamaged' },
  ]);
});

it('files of another backup of the same name are found', async () => {
  await using scene = await backedUpShop();
  const manifest = await bytesOf(scene.store, backupKey(name, 'manifest'));
  await scene.engine.deleteBackup(name);
  await scene.engine.backup({ name, spec: { includedNamespaces: ['shop'] } });
  await scene.store.put(backupKey(name, 'manifest'), manifest);
  const { intact, issues } = await scene.engine.verify(name, { snapshots: false });
  expect(intact).toBe(false);
  expect(issues[0]?.message).toContain('of another backup');
});

it('a snapshot that is gone from the storage is found, unless that was not asked for', async () => {
  await using scene = await backedUpShop();
  const { storage } = scene.cluster.csi;
  const [handle = ''] = storage.snapshots.keys();
  storage.deleteSnapshot(handle);
  expect(await scene.engine.verify(name, { snapshots: false })).toMatchObject({ intact: true });
  const { intact, snapshots, issues } = await scene.engine.verify(name);
  expect({ intact, snapshots }).toEqual({ intact: false, snapshots: 0 });
  expect(issues).toMatchObject([{ severity: 'error', reason: 'SnapshotMissing' }]);
  expect(issues[0]?.message).toContain(handle);
});

it('a backup whose deletion has begun is not intact, although nothing of it is missing yet', async () => {
  await using scene = await backedUpShop();
  await scene.store.put(deletionMarkKey(name), Buffer.from('{}'));
  const { intact, issues } = await scene.engine.verify(name);
  expect(intact).toBe(false);
  expect(issues).toMatchObject([{ severity: 'error', reason: 'DeletionBegun' }]);
  expect(issues[0]?.message).toContain('deleteBackup');
});

it('a backup that does not exist is NotFound', async () => {
  await using scene = await backedUpShop();
  await expect(scene.engine.verify('other')).rejects.toMatchObject({
    code: 'NotFound',
    target: 'other',
  });
});

it('aborted, it rejects with the reason and leaves no content', async () => {
  await using scene = await backedUpShop();
  const abort = new AbortController();
  const reason = new Error('enough');
  const verification = scene.engine.verify(name, { signal: abort.signal });
  abort.abort(reason);
  await expect(verification).rejects.toBe(reason);
  const contents = scene.cluster.list(Resources.volumeSnapshotContents);
  expect(await Array.fromAsync(contents)).toEqual([]);
});
