import { expect, it } from 'vitest';
import { Resources } from '../model/resources.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { type ReleaseSnapshotRequest, releaseSnapshot } from './release-snapshot.ts';
import { SnapshotBench } from './snapshot-bench-fixture.ts';

type Bench = SnapshotBench<FakeCluster>;

function openBench(): Promise<Bench> {
  return SnapshotBench.open((clock) => new FakeCluster({ clock }));
}

/** A snapshot that only the storage knows of, and the request to free it. */
async function detachedSnapshot(bench: Bench): Promise<ReleaseSnapshotRequest> {
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  await session.detach(snapshot);
  const { driver, snapshotHandle } = snapshot;
  return { cluster: bench.cluster, clock: bench.clock, backupName: 'b-1', driver, snapshotHandle };
}

it('frees a storage snapshot by its handle and leaves no object', async () => {
  await using bench = await openBench();
  expect(await releaseSnapshot(await detachedSnapshot(bench))).toBe('released');
  expect(await bench.leftovers()).toEqual([]);
});

it('takes a snapshot that is gone for freed', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  await releaseSnapshot(request);
  expect(await releaseSnapshot(request)).toBe('notFound');
  expect(await bench.leftovers()).toEqual([]);
});

it('frees a snapshot that the driver cannot look up', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  bench.cluster.csi.inject({ call: 'ListSnapshots', error: 'blind' });
  await releaseSnapshot(request);
  expect(await bench.leftovers()).toEqual([]);
});

it('frees nothing but what it was told', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  await detachedSnapshot(bench);
  await releaseSnapshot(request);
  expect(await bench.leftovers()).toEqual(['storage snapshot']);
});

it('reports a driver that does not delete, and leaves what makes it try again', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  bench.cluster.csi.inject({ call: 'DeleteSnapshot', error: 'busy' });
  await expect(releaseSnapshot({ ...request, timeoutMs: 3_000 })).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringMatching(/did not delete it within 3 s.*lifeboat-release-/) as string,
  });
  expect(await bench.leftovers()).toEqual(['VolumeSnapshotContent', 'storage snapshot']);
});

it('reports a driver that nobody serves, and leaves no object', async () => {
  await using bench = await openBench();
  const { cluster, clock } = bench;
  const released = releaseSnapshot({
    cluster,
    clock,
    backupName: 'b-1',
    driver: 'absent.csi.example',
    snapshotHandle: 'h-1',
  });
  await expect(released).rejects.toThrow(
    'nothing reacted within 120 s: check that the csi-snapshotter sidecar of driver absent.csi.example is running',
  );
  expect(await bench.leftovers()).toEqual([]);
});

it('rejects with the reason of an abort, leaves no object and keeps the snapshot', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const controller = new AbortController();
  const reason = new Error('stop');
  bench.cluster.faults.inject({ operation: 'watch', delayMs: 1_000 });
  const released = releaseSnapshot(request, { signal: controller.signal });
  await bench.cluster.settle();
  controller.abort(reason);
  await expect(released).rejects.toBe(reason);
  expect(await bench.leftovers()).toEqual(['storage snapshot']);
});

it('passes on what the API server refuses', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  bench.cluster.faults.inject({ operation: 'create', error: 'Forbidden' });
  await expect(releaseSnapshot(request)).rejects.toMatchObject({
    code: 'SnapshotFailed',
    cause: expect.objectContaining({ code: 'Forbidden' }) as unknown,
  });
});

it('lets two calls for one snapshot share a content', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  await Promise.all([releaseSnapshot(request), releaseSnapshot(request)]);
  expect(await bench.leftovers()).toEqual([]);
});

it.each([
  { what: 'that was not deleted yet', patch: {} },
  {
    what: 'that was to be removed unused',
    patch: { metadata: { finalizers: null }, spec: { deletionPolicy: 'Retain' } },
  },
])('goes on with the content of a killed call $what', async ({ patch }) => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const killed = bench.cluster.connect();
  killed.faults.inject({ operation: 'watch', error: new Error('killed') });
  killed.faults.inject({ operation: 'patch', error: new Error('killed') });
  await expect(releaseSnapshot({ ...request, cluster: killed })).rejects.toThrow('killed');
  const [left] = await Array.fromAsync(bench.cluster.list(Resources.volumeSnapshotContents));
  const reference = { ...Resources.volumeSnapshotContents, name: left?.metadata.name ?? '' };
  await bench.cluster.patch(reference, { type: 'merge', patch });
  await releaseSnapshot(request);
  expect(await bench.leftovers()).toEqual([]);
});

it('has a driver that refused try again at once, with the credentials of now', async () => {
  await using bench = await openBench();
  const request = await detachedSnapshot(bench);
  const refusal = bench.cluster.csi.inject({ call: 'DeleteSnapshot', error: 'no such user' });
  await expect(releaseSnapshot({ ...request, timeoutMs: 3_000 })).rejects.toThrow('3 s');
  const annotations = {
    'snapshot.storage.kubernetes.io/deletion-secret-name': 'renewed',
    'snapshot.storage.kubernetes.io/deletion-secret-namespace': 'storage',
  };
  const origin = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'origin', annotations },
  };
  const again = { ...request, volumeSnapshotContent: origin, timeoutMs: 3_000 };
  await expect(releaseSnapshot(again)).rejects.toThrow('3 s');
  const [left] = await Array.fromAsync(bench.cluster.list(Resources.volumeSnapshotContents));
  expect(left?.metadata.annotations).toMatchObject(annotations);
  refusal[Symbol.dispose]();
  expect(await releaseSnapshot(request)).toBe('released');
  expect(await bench.leftovers()).toEqual([]);
});

it.each([
  { what: 'that are to be listed', given: {} },
  { what: 'that were listed elsewhere', given: { volumeSnapshotClasses: [] } },
])('says that a cluster has no snapshot API, with classes $what', async ({ given }) => {
  await using cluster = new FakeCluster({ withCsi: false });
  const snapshot = { backupName: 'b-1', driver: 'd', snapshotHandle: 'h-1' };
  await expect(releaseSnapshot({ cluster, ...snapshot, ...given })).rejects.toMatchObject({
    code: 'Unsupported',
    message: expect.stringContaining('does not serve snapshot.storage.k8s.io') as string,
  });
});
