import { expect, it, vi } from 'vitest';
import { writeArchive } from '../archive/archive-writer.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { GetOptions } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { ArchiveIndexFile } from './artifacts/archive-index-file.ts';
import { BackupCatalog } from './backup-catalog.ts';
import { putArtifact, putBackup, putCompressed } from './backup-files.ts';
import { backupKey } from './key-layout.ts';

// Thousands of objects, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 60_000 });

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
const clusterRoles = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterroles',
};
const role: KubernetesObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'system:reader' },
};

function configMap(name: string): KubernetesObject {
  const metadata = { name, namespace: 'shop' };
  // Random, so that the archive has several members.
  const text = Array.from({ length: 100 }, () => Math.random()).join(' ');
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text } };
}

const objects = Array.from({ length: 2_000 }, (_, index) => configMap(`c-${index}`));
const wanted = { groupResource: 'configmaps', namespace: 'shop', name: 'c-1500' };

/** Counts the bytes of the archive that were read. */
class CountingStore extends MemoryObjectStore {
  archiveBytes = 0;

  override async get(key: string, options: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const body = await super.get(key, options);
    return key.endsWith('.tar.gz') ? this.#counted(body) : body;
  }

  async *#counted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.archiveBytes += chunk.byteLength;
      yield chunk;
    }
  }
}

interface TestBackup {
  readonly store: CountingStore;
  readonly catalog: BackupCatalog;
  readonly sizeBytes: number;
}

async function storedBackup(index: 'with an index' | 'without' | 'damaged'): Promise<TestBackup> {
  const store = new CountingStore();
  const file = new ArchiveIndexFile();
  const archive = await writeArchive(
    (body) => store.put(backupKey('b', 'archive'), body),
    async (writer) => {
      for (const object of objects) {
        await writer.writeObject(configMaps, object);
      }
      await writer.writeObject(clusterRoles, role);
    },
    { modifiedAt: new Date(0), onPlace: (object) => file.add(object) },
  );
  if (index === 'with an index') {
    await putCompressed(store, 'b', 'index', await file.end(archive.members));
  } else if (index === 'damaged') {
    await putArtifact(store, 'b', 'index', 'x');
  }
  await putBackup(store, {
    kind: 'Backup',
    apiVersion: 'velero.io/v1',
    metadata: { name: 'b' },
    spec: {},
    status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
  });
  return {
    store,
    catalog: new BackupCatalog(store, silentLogger),
    sizeBytes: archive.sizeBytes,
  };
}

it.each(['with an index', 'without', 'damaged'] as const)(
  'objects are listed and read, index: %s',
  async (index) => {
    const { catalog } = await storedBackup(index);
    const names = (await Array.fromAsync(catalog.listObjects('b'))).map(({ name }) => name);
    expect(names).toEqual([...objects.map(({ metadata }) => metadata.name), 'system:reader']);
    expect(await catalog.getObject('b', wanted)).toEqual(objects[1500]);
    const ofRole = {
      groupResource: 'clusterroles.rbac.authorization.k8s.io',
      name: 'system:reader',
    };
    expect(await catalog.getObject('b', ofRole)).toEqual(role);
    expect(await catalog.getObject('b', { ...wanted, name: 'other' })).toBeUndefined();
    expect(await catalog.getObject('b', { ...wanted, namespace: 'other' })).toBeUndefined();
  },
);

it('with an index only a part of the archive is fetched', async () => {
  const { store, catalog, sizeBytes } = await storedBackup('with an index');
  await catalog.getObject('b', wanted);
  expect(store.archiveBytes).toBeGreaterThan(0);
  expect(store.archiveBytes).toBeLessThan(sizeBytes / 2);
});

it('an object that is not what the index says is refused', async () => {
  const { store, catalog } = await storedBackup('with an index');
  const bytes = await Array.fromAsync(await store.get(backupKey('b', 'archive')));
  const archive = Buffer.concat(bytes);
  archive.fill(0, 1_000);
  await store.put(backupKey('b', 'archive'), archive);
  await expect(catalog.getObject('b', wanted)).rejects.toMatchObject({ code: 'CorruptBackup' });
});

it('a backup that does not exist is NotFound', async () => {
  const { catalog } = await storedBackup('without');
  await expect(catalog.getObject('other', wanted)).rejects.toMatchObject({
    code: 'NotFound',
    target: 'other',
  });
  await expect(Array.fromAsync(catalog.listObjects('other'))).rejects.toMatchObject({
    code: 'NotFound',
  });
});
