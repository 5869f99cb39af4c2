import { expect, it } from 'vitest';
import { Resources } from '../model/resources.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { SnapshotBench } from './snapshot-bench-fixture.ts';
import { serveOnlyV1beta1 } from './v1beta1-cluster-fixture.ts';

it('takes snapshots also where the API is served in v1beta1 only', async () => {
  await using bench = await SnapshotBench.open((clock) => new FakeCluster({ clock }));
  const request = await bench.request();
  await serveOnlyV1beta1(bench.cluster);
  const session = await bench.openSession();
  const snapshot = await session.take(request);
  expect(bench.cluster.csi.storage.snapshots.has(snapshot.snapshotHandle)).toBe(true);
  await session.detach(snapshot);
  const older = { ...Resources.volumeSnapshots, version: 'v1beta1' };
  expect(await Array.fromAsync(bench.cluster.list(older))).toEqual([]);
});
