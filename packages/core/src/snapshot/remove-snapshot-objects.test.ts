import { expect, it } from 'vitest';
import { Resources } from '../model/resources.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import {
  type RemoveSnapshotObjectsRequest,
  removeSnapshotObjects,
} from './remove-snapshot-objects.ts';
import { SnapshotBench } from './snapshot-bench-fixture.ts';

type Bench = SnapshotBench<FakeCluster>;

function openBench(): Promise<Bench> {
  return SnapshotBench.open((clock) => new FakeCluster({ clock }));
}

/** A snapshot whose objects a backup has kept, and the request to remove them. */
async function keptSnapshot(bench: Bench): Promise<RemoveSnapshotObjectsRequest> {
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  await session.keep(snapshot);
  const { driver, snapshotHandle } = snapshot;
  return { cluster: bench.cluster, snapshots: [{ driver, snapshotHandle }] };
}

it('removes both objects of a snapshot, and succeeds again when they are gone', async () => {
  await using bench = await openBench();
  const request = await keptSnapshot(bench);
  await removeSnapshotObjects(request);
  await bench.cluster.settle();
  expect(await bench.leftovers()).toEqual(['storage snapshot']);
  await removeSnapshotObjects(request);
});

it.each([
  { what: 'of another snapshot', change: { snapshotHandle: 'other' } },
  { what: 'of another driver', change: { driver: 'other.csi.example' } },
])('leaves the objects $what', async ({ change }) => {
  await using bench = await openBench();
  const request = await keptSnapshot(bench);
  const snapshots = request.snapshots.map((snapshot) => ({ ...snapshot, ...change }));
  await removeSnapshotObjects({ ...request, snapshots });
  await bench.cluster.settle();
  expect(await bench.leftovers()).toEqual([
    'VolumeSnapshot',
    'VolumeSnapshotContent',
    'storage snapshot',
  ]);
});

it('leaves the objects that neither Lifeboat nor Velero has labelled', async () => {
  await using bench = await openBench();
  const request = await keptSnapshot(bench);
  for await (const { metadata } of bench.cluster.list(Resources.volumeSnapshotContents)) {
    const reference = { ...Resources.volumeSnapshotContents, name: metadata.name };
    await bench.cluster.patch(reference, { type: 'merge', patch: { metadata: { labels: null } } });
  }
  await removeSnapshotObjects(request);
  await bench.cluster.settle();
  expect(await bench.leftovers()).toHaveLength(3);
});

it('asks for nothing when no snapshot is gone', async () => {
  await using bench = await openBench();
  const before = bench.cluster.requests.length;
  await removeSnapshotObjects({ cluster: bench.cluster, snapshots: [] });
  expect(bench.cluster.requests).toHaveLength(before);
});

it('says that a cluster has no snapshot API, unless there is nothing to do', async () => {
  await using cluster = new FakeCluster({ withCsi: false });
  const snapshots = [{ driver: 'd', snapshotHandle: 'h-1' }];
  await expect(removeSnapshotObjects({ cluster, snapshots })).rejects.toMatchObject({
    code: 'Unsupported',
  });
  await removeSnapshotObjects({ cluster, snapshots: [] });
});
