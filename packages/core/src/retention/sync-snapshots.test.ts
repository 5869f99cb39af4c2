import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putArtifact } from '../catalog/backup-files.ts';
import { deletionMarkKey } from '../catalog/key-layout.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { readonlyObjectStore } from '../stores/readonly-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { snapshotInfo, storeDeletableBackup, storedContent } from './deletable-backup-fixture.ts';
import type { SyncSnapshotsOptions, SyncSnapshotsResult } from './sync-request.ts';
import { syncSnapshots } from './sync-snapshots.ts';

let cluster: FakeCluster;
let store: MemoryObjectStore;

beforeEach(() => {
  cluster = new FakeCluster();
  store = new MemoryObjectStore();
});

afterEach(async () => {
  await cluster.close();
  await store.close();
});

function sync(
  options: SyncSnapshotsOptions = {},
  from: ObjectStore = store,
): Promise<SyncSnapshotsResult> {
  return syncSnapshots({ cluster, store: from, logger: silentLogger }, options);
}

/** A backup whose snapshots the storage holds. */
async function storeBackup(name: string, ...names: readonly string[]): Promise<readonly string[]> {
  const createdAt = new Date(0);
  const handles = names.map(
    (snapshot) =>
      cluster.csi.storage.addSnapshot({
        name: snapshot,
        sourceVolumeHandle: 'gone',
        sizeBytes: 1024n,
        createdAt,
        readyAt: createdAt,
        files: new Map(),
      }).handle,
  );
  await storeDeletableBackup(store, { name, handles });
  return handles;
}

async function contents(): Promise<readonly KubernetesObject[]> {
  await cluster.settle();
  return Array.fromAsync(cluster.list(Resources.volumeSnapshotContents));
}

function outcomes(result: SyncSnapshotsResult): Record<string, readonly string[]> {
  const { issues, ...lists } = result;
  return Object.fromEntries(
    Object.entries({ ...lists, issues: issues.map(({ reason }) => ({ backupName: reason })) })
      .map(([key, list]) => [key, list.map(({ backupName }) => backupName)] as const)
      .filter(([, list]) => list.length > 0),
  );
}

it('creates a content for each snapshot of the store, which keeps the snapshot and is bound to nothing', async () => {
  const [handle] = await storeBackup('shop-1', 'a');
  expect(outcomes(await sync())).toEqual({ created: ['shop-1'] });
  expect(await contents()).toMatchObject([
    {
      metadata: {
        name: expect.stringMatching(/^lifeboat-synced-[0-9a-f]{32}$/) as string,
        labels: { 'velero.io/backup-name': 'shop-1' },
        annotations: {
          'lifeboat.dev/synced-backup': 'shop-1',
          'lifeboat.dev/synced-location': 'memory:',
        },
      },
      spec: {
        deletionPolicy: 'Retain',
        driver: cluster.csi.name,
        source: { snapshotHandle: handle },
        volumeSnapshotClassName: 'fake-csi',
        volumeSnapshotRef: {
          namespace: expect.stringMatching(/^ns-/) as string,
          name: expect.stringMatching(/^name-/) as string,
        },
      },
      status: { readyToUse: true, snapshotHandle: handle },
    },
  ]);
});

it('makes nothing twice, however often and from wherever it is called', async () => {
  await storeBackup('shop-1', 'a', 'b');
  await Promise.all([sync(), sync(), sync({}, readonlyObjectStore(store))]);
  expect(await contents()).toHaveLength(2);
  expect(outcomes(await sync())).toEqual({ kept: ['shop-1', 'shop-1'] });
  expect(await contents()).toHaveLength(2);
});

it('removes the contents of a backup that has gone, and no storage snapshot', async () => {
  await storeBackup('gone', 'a');
  await storeBackup('stays', 'b');
  await sync();
  await store.delete('backups/gone/velero-backup.json');
  expect(outcomes(await sync())).toEqual({ removed: ['gone'], kept: ['stays'] });
  expect((await contents()).map(({ metadata }) => metadata.labels)).toMatchObject([
    { 'velero.io/backup-name': 'stays' },
  ]);
  expect(cluster.csi.storage.snapshots.size).toBe(2);
});

it('takes a backup whose deletion has begun for gone', async () => {
  await storeBackup('going', 'a');
  await sync();
  await store.put(deletionMarkKey('going'), Buffer.from('{}'));
  expect(outcomes(await sync())).toEqual({ removed: ['going'] });
});

it('only tells what it would do in a dry run', async () => {
  await storeBackup('shop-1', 'a');
  expect(outcomes(await sync({ dryRun: true }))).toEqual({ created: ['shop-1'] });
  expect(await contents()).toEqual([]);
  await sync();
  await store.delete('backups/shop-1/velero-backup.json');
  expect(outcomes(await sync({ dryRun: true }))).toEqual({ removed: ['shop-1'] });
  expect(await contents()).toHaveLength(1);
});

describe('leaves alone', () => {
  async function expectSkipped(reason: string): Promise<void> {
    const before = await contents();
    const result = await sync();
    expect(result).toMatchObject({ created: [], removed: [], kept: [], skipped: [{ reason }] });
    expect(await contents()).toEqual(before);
  }

  async function syncedContent(): Promise<KubernetesObject> {
    await storeBackup('shop-1', 'a');
    await sync();
    const [content] = await contents();
    if (content === undefined) {
      throw new Error('no content was synced');
    }
    return content;
  }

  it('a snapshot whose driver the cluster lacks', async () => {
    await storeDeletableBackup(store, { name: 'shop-1', handles: ['h'] });
    await putArtifact(store, 'shop-1', 'volumeInfo', [snapshotInfo('h', 'gone.example.com')]);
    await expectSkipped('DriverMissing');
  });

  it('a snapshot that the cluster knows otherwise', async () => {
    const [handle = ''] = await storeBackup('shop-1', 'a');
    cluster.seed([storedContent('shop-1', handle)]);
    await expectSkipped('AlreadyPresent');
  });

  it('a snapshot that is being freed', async () => {
    const [handle = ''] = await storeBackup('shop-1', 'a');
    const content = storedContent('shop-1', handle);
    const finalizers = ['example.com/slow'];
    cluster.seed([{ ...content, metadata: { ...content.metadata, finalizers } }]);
    await cluster.delete(referenceTo(Resources.volumeSnapshotContents, content));
    await expectSkipped('BeingReleased');
  });

  it('a content of its name that it did not make', async () => {
    const content = await syncedContent();
    const patch = { metadata: { labels: { 'lifeboat.dev/synced-from': null } } };
    const reference = referenceTo(Resources.volumeSnapshotContents, content);
    await cluster.patch(reference, { type: 'merge', patch });
    await expectSkipped('NameTaken');
  });

  it('a content of a backup that cannot be read', async () => {
    await syncedContent();
    await store.put('backups/shop-1/velero-backup.json', Buffer.from('{'));
    await expectSkipped('BackupUnreadable');
  });

  it('a content whose deletion would free the snapshot', async () => {
    const content = await syncedContent();
    const patch = { spec: { deletionPolicy: 'Delete' } };
    const reference = referenceTo(Resources.volumeSnapshotContents, content);
    await cluster.patch(reference, { type: 'merge', patch });
    await store.delete('backups/shop-1/velero-backup.json');
    await expectSkipped('PolicyChanged');
  });

  it('what a sync from another store has made', async () => {
    await syncedContent();
    const other = new MemoryObjectStore();
    const elsewhere = { ...readonlyObjectStore(other), location: 'elsewhere:' };
    expect(outcomes(await sync({}, elsewhere))).toEqual({});
    expect(await contents()).toHaveLength(1);
  });
});

it('goes on after a content that cannot be created, and says which', async () => {
  await storeBackup('shop-1', 'a', 'b');
  const resource = 'volumesnapshotcontents.snapshot.storage.k8s.io';
  cluster.faults.inject({ operation: 'create', resource, error: 'Forbidden', times: 1 });
  const result = await sync();
  expect(outcomes(result)).toEqual({ created: ['shop-1'], issues: ['Forbidden'] });
  expect(result.issues).toMatchObject([{ severity: 'error', object: { groupResource: resource } }]);
});

it('deletes the very version that it looked at', async () => {
  await storeBackup('shop-1', 'a');
  await sync();
  await store.delete('backups/shop-1/velero-backup.json');
  const resource = 'volumesnapshotcontents.snapshot.storage.k8s.io';
  cluster.faults.inject({ operation: 'delete', resource, error: 'Conflict', times: 2 });
  expect(outcomes(await sync())).toEqual({ removed: ['shop-1'] });
  expect(await contents()).toEqual([]);
});

it('says what a cluster without the snapshot API needs', async () => {
  await using bare = new FakeCluster({ withCsi: false });
  const synced = syncSnapshots({ cluster: bare, store, logger: silentLogger });
  await expect(synced).rejects.toMatchObject({ code: 'Unsupported' });
});

it('is aborted with the reason of the signal', async () => {
  const reason = new Error('stop');
  await expect(sync({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
