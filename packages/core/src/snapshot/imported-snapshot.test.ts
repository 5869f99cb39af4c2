import { expect, it } from 'vitest';
import { referenceTo } from '../model/kubernetes.ts';
import { booleanAt, stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import {
  type ImportSnapshotRequest,
  importedSnapshotName,
  importSnapshot,
  removeImportedSnapshot,
} from './imported-snapshot.ts';
import { archivedVolumeSnapshot, archivedVolumeSnapshotContent } from './manifests.ts';
import { SnapshotBench } from './snapshot-bench-fixture.ts';

type Bench = SnapshotBench<FakeCluster>;

function openBench(): Promise<Bench> {
  return SnapshotBench.open((clock) => new FakeCluster({ clock }));
}

const restoreUid = '11111111-2222-3333-4444-555555555555';
const names = [Resources.volumeSnapshots, Resources.volumeSnapshotContents];

/** A snapshot that only the storage and a backup know of, and the request to import it where it was taken. */
async function detachedSnapshot(bench: Bench): Promise<ImportSnapshotRequest> {
  bench.cluster.csi.writeFile({ namespace: 'shop', name: 'data' }, 'greeting', 'hello');
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  await session.detach(snapshot);
  const { driver, snapshotHandle } = snapshot;
  return {
    cluster: bench.cluster,
    restoreUid,
    restoreName: 'r-1',
    backupName: 'b-1',
    namespace: 'shop',
    volumeSnapshot: archivedVolumeSnapshot(snapshot, 'b-1'),
    volumeSnapshotContent: archivedVolumeSnapshotContent(snapshot, 'b-1'),
    driver,
    snapshotHandle,
  };
}

it('derives the name that Velero derives', () => {
  expect(importedSnapshotName(restoreUid, 'velero-local-pvc-bdbw8')).toBe(
    'c30080309784b3be0b48998bcbf4402fc867757109de4bae3e5abb1df682b828',
  );
});

it('fills a claim in another cluster that shares the storage', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  await using there = new FakeCluster({ csiStorage: bench.cluster.csi.storage });
  there.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'copy' } }]);
  const imported = await importSnapshot({ ...request, cluster: there, namespace: 'copy' });
  await there.create(Resources.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'copy' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Mi' } },
      dataSource: {
        apiGroup: 'snapshot.storage.k8s.io',
        kind: 'VolumeSnapshot',
        name: imported.name,
      },
    },
  });
  await there.settle();
  const bytes = there.csi.readFile({ namespace: 'copy', name: 'data' }, 'greeting');
  expect(Buffer.from(bytes ?? []).toString()).toBe('hello');
});

it('makes a pair that keeps the storage snapshot and says whose it is', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const imported = await importSnapshot(request);
  const labels = { 'velero.io/backup-name': 'b-1', 'velero.io/restore-name': 'r-1' };
  expect(imported).toMatchObject({ namespace: 'shop', volumeSnapshot: { metadata: { labels } } });
  expect(imported.volumeSnapshotContent).toMatchObject({
    metadata: { name: imported.name, labels },
    spec: {
      deletionPolicy: 'Retain',
      source: { snapshotHandle: request.snapshotHandle },
      volumeSnapshotClassName: 'fake-csi',
    },
  });
});

it('returns the pair that stands already', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const first = await importSnapshot(request);
  const second = await importSnapshot(request);
  expect(second.volumeSnapshot.metadata.uid).toBe(first.volumeSnapshot.metadata.uid);
  expect(second.volumeSnapshotContent.metadata.uid).toBe(first.volumeSnapshotContent.metadata.uid);
});

it('refuses a name that stands for another snapshot, and leaves that alone', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const { volumeSnapshotContent } = await importSnapshot(request);
  const other = importSnapshot({ ...request, snapshotHandle: 'other' });
  await expect(other).rejects.toMatchObject({ code: 'SnapshotFailed' });
  const reference = referenceTo(Resources.volumeSnapshotContents, volumeSnapshotContent);
  expect(await bench.cluster.get(reference)).toBeDefined();
});

it.each([
  [
    'the VolumeSnapshot is refused',
    { resource: 'volumesnapshots.snapshot.storage.k8s.io' },
    'Forbidden',
    false,
  ],
  [
    'the answer for the VolumeSnapshot is lost',
    { resource: 'volumesnapshots.snapshot.storage.k8s.io' },
    'Unavailable',
    true,
  ],
  [
    'the answer for the content is lost',
    { resource: 'volumesnapshotcontents.snapshot.storage.k8s.io' },
    'Unavailable',
    true,
  ],
] as const)('leaves nothing when %s', async (_case, aim, error, answerLost) => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  bench.cluster.faults.inject({ ...aim, operation: 'create', error, answerLost });
  await expect(importSnapshot(request)).rejects.toMatchObject({ code: error });
  expect(await bench.leftovers()).toEqual(['storage snapshot']);
});

it('rejects with the reason of an abort and leaves nothing', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const controller = new AbortController();
  const reason = new Error('stop');
  const resource = 'volumesnapshots.snapshot.storage.k8s.io';
  bench.cluster.faults.inject({ operation: 'create', resource, delayMs: 1_000 });
  const imported = importSnapshot(request, { signal: controller.signal });
  controller.abort(reason);
  await expect(imported).rejects.toBe(reason);
  expect(await bench.leftovers()).toEqual(['storage snapshot']);
});

it('removes the pair and not the storage snapshot, however often it is asked', async () => {
  await using bench = await openBench();
  const imported = await importSnapshot(await detachedSnapshot(bench));
  await bench.cluster.settle();
  const { clock } = bench;
  await removeImportedSnapshot(imported, { clock });
  await removeImportedSnapshot(imported, { clock });
  expect(await bench.leftovers()).toEqual(['storage snapshot']);
});

it('removes no object that has taken the name since', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const { clock } = bench;
  const first = await importSnapshot(request);
  await removeImportedSnapshot(first, { clock });
  const second = await importSnapshot(request);
  await removeImportedSnapshot(first, { clock });
  for (const resource of names) {
    const namespace = resource === Resources.volumeSnapshots ? 'shop' : undefined;
    expect(await bench.cluster.get({ ...resource, namespace, name: second.name })).toBeDefined();
  }
});

it('says when the pair does not go in time', async () => {
  await using bench = await openBench();
  const imported = await importSnapshot(await detachedSnapshot(bench));
  await bench.cluster.settle();
  const reference = referenceTo(Resources.volumeSnapshots, imported.volumeSnapshot);
  const patch = { metadata: { finalizers: ['example.com/mine'] } };
  await bench.cluster.patch(reference, { type: 'merge', patch });
  const removed = removeImportedSnapshot(imported, { clock: bench.clock, timeoutMs: 5_000 });
  await expect(removed).rejects.toThrow('is still there after 5 s');
});

it('takes the driver and handle that it is told, where the backup has no content', async () => {
  await using bench = await openBench();
  const { volumeSnapshotContent: _content, ...request } = await detachedSnapshot(bench);
  const { volumeSnapshotContent } = await importSnapshot(request);
  await bench.cluster.settle();
  const live = await bench.cluster.get(
    referenceTo(Resources.volumeSnapshotContents, volumeSnapshotContent),
  );
  expect(live && stringAt(live, ['status', 'snapshotHandle'])).toBe(request.snapshotHandle);
});

it('resolves when the snapshot can be read from', async () => {
  await using bench = await openBench();
  const { volumeSnapshot } = await importSnapshot(await detachedSnapshot(bench));
  expect(booleanAt(volumeSnapshot, ['status', 'readyToUse'])).toBe(true);
});

it('waits while the driver fails for a moment', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const { clock } = bench;
  bench.cluster.csi.inject({ call: 'ListSnapshots', error: 'credentials expired', times: 2 });
  const { volumeSnapshot } = await importSnapshot(request, { clock });
  expect(booleanAt(volumeSnapshot, ['status', 'readyToUse'])).toBe(true);
});

it.each([
  [
    'a snapshot that the storage does not have',
    { error: 'snapshot h not found' },
    'does not have it',
    5,
  ],
  ['a driver that keeps failing', { error: 'login failed' }, 'cannot read it: ', 40],
  ['a driver that does not answer', { delayMs: 300_000 }, 'sidecar', 120],
] as const)(
  'gives %s up early, says whose it is, and leaves nothing',
  async (_case, fault, word, seconds) => {
    await using bench = await openBench();
    const request = await detachedSnapshot(bench);
    const { clock } = bench;
    bench.cluster.csi.inject({ call: 'ListSnapshots', ...fault });
    const startedMs = clock.now().getTime();
    const { driver, snapshotHandle } = request;
    await expect(importSnapshot(request, { clock })).rejects.toMatchObject({
      code: 'SnapshotFailed',
      target: `snapshot ${snapshotHandle} of driver ${driver}`,
      message: expect.stringContaining(word) as string,
    });
    expect((clock.now().getTime() - startedMs) / 1000).toBeCloseTo(seconds, 0);
    bench.cluster.csi.clearFaults();
    // The sidecar pauses after a failure.
    await clock.sleep(600_000);
    expect(await bench.leftovers()).toEqual(['storage snapshot']);
  },
);

it('says when somebody deletes the VolumeSnapshot meanwhile', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  bench.cluster.csi.inject({ call: 'ListSnapshots', error: 'busy', times: 1 });
  const imported = importSnapshot(request, { clock: bench.clock });
  for await (const event of bench.cluster.watch(Resources.volumeSnapshots)) {
    if (event.type === 'added') {
      await bench.cluster.delete(referenceTo(Resources.volumeSnapshots, event.object));
      break;
    }
  }
  await expect(imported).rejects.toThrow('deleted by someone else');
  await bench.clock.sleep(600_000);
  expect(await bench.leftovers()).toEqual(['storage snapshot']);
});

it('says what a cluster without the snapshot API needs, before anything is created', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  await using bare = new FakeCluster({ withCsi: false });
  await expect(importSnapshot({ ...request, cluster: bare })).rejects.toMatchObject({
    code: 'Unsupported',
    message: expect.stringContaining('install the CRDs') as string,
  });
  expect(bare.requests.map(({ operation }) => operation)).not.toContain('create');
});

it('leaves a VolumeSnapshot of that name alone which is not its own', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const name = importedSnapshotName(restoreUid, request.volumeSnapshot.metadata.name);
  const other = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace: 'shop' },
    spec: { source: { volumeSnapshotContentName: 'other' } },
  };
  await bench.cluster.create(Resources.volumeSnapshots, other);
  await expect(importSnapshot(request)).rejects.toMatchObject({ code: 'SnapshotFailed' });
  expect(await bench.leftovers()).toEqual(['VolumeSnapshot', 'storage snapshot']);
});
