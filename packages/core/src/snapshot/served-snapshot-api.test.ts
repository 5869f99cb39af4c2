import { expect, it } from 'vitest';
import type { GroupVersionResource } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { servedSnapshotApi } from './served-snapshot-api.ts';
import { serveOnlyV1beta1 } from './v1beta1-cluster-fixture.ts';

const { volumeSnapshots, volumeSnapshotClasses, volumeSnapshotContents } = Resources;
const v1beta1 = (resource: GroupVersionResource): GroupVersionResource => ({
  ...resource,
  version: 'v1beta1',
});

const snapshot = {
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshot',
  metadata: { name: 'static', namespace: 'default' },
  spec: { source: { volumeSnapshotContentName: 'c' } },
};

it('carries every request for v1 out in v1beta1, and answers in v1', async () => {
  await using cluster = await serveOnlyV1beta1(new FakeCluster());
  await expect(Array.fromAsync(cluster.list(volumeSnapshotClasses))).rejects.toMatchObject({
    code: 'NotFound',
  });
  const served = servedSnapshotApi(cluster);
  const created = await served.create(volumeSnapshots, snapshot);
  expect(created.apiVersion).toBe('snapshot.storage.k8s.io/v1');
  const reference = { ...volumeSnapshots, namespace: 'default', name: 'static' };
  expect(await cluster.get({ ...reference, version: 'v1beta1' })).toMatchObject({
    apiVersion: 'snapshot.storage.k8s.io/v1beta1',
  });
  const read = [
    await served.get(reference),
    ...(await Array.fromAsync(served.list(volumeSnapshots))),
    await served.patch(reference, { type: 'merge', patch: { metadata: { labels: { a: 'b' } } } }),
    await served.patch(
      reference,
      { type: 'apply', manifest: snapshot, force: true },
      { fieldManager: 'test' },
    ),
  ];
  expect(read.map((object) => object?.apiVersion)).toEqual(
    Array(4).fill('snapshot.storage.k8s.io/v1'),
  );
  for await (const event of served.watch(volumeSnapshots)) {
    expect(event).toMatchObject({ object: { apiVersion: 'snapshot.storage.k8s.io/v1' } });
    break;
  }
  await served.delete(reference);
  await cluster.settle();
  expect(await served.get(reference)).toBeUndefined();
});

it('passes v1beta1 and other groups on as they are', async () => {
  await using cluster = await serveOnlyV1beta1(new FakeCluster());
  const served = servedSnapshotApi(cluster);
  const [snapshotClass] = await Array.fromAsync(served.list(v1beta1(volumeSnapshotClasses)));
  expect(snapshotClass?.apiVersion).toBe('snapshot.storage.k8s.io/v1beta1');
  const [storageClass] = await Array.fromAsync(served.list(Resources.storageClasses));
  expect(storageClass?.apiVersion).toBe('storage.k8s.io/v1');
});

it('asks a cluster with v1 for v1, after one discovery', async () => {
  await using cluster = new FakeCluster();
  const served = servedSnapshotApi(cluster);
  await Array.fromAsync(served.list(volumeSnapshots));
  await Array.fromAsync(served.list(volumeSnapshotContents));
  expect(cluster.requests.map(({ operation }) => operation)).toEqual(['discover', 'list', 'list']);
});

it('needs no discovery of its own after one that passed', async () => {
  await using cluster = await serveOnlyV1beta1(new FakeCluster());
  const served = servedSnapshotApi(cluster);
  const { groups, resources } = await served.discover();
  const isSnapshots = ({ group }: { readonly group: string }): boolean =>
    group === volumeSnapshots.group;
  expect(groups.find(({ name }) => name === volumeSnapshots.group)).toMatchObject({
    versions: ['v1'],
    preferredVersion: 'v1',
  });
  expect(resources.filter(isSnapshots).map(({ version }) => version)).toEqual(['v1', 'v1', 'v1']);
  cluster.forgetRequests();
  await Array.fromAsync(served.list(volumeSnapshots));
  expect(cluster.requests.map(({ operation }) => operation)).toEqual(['list']);
});

it('notices that v1 is served since', async () => {
  await using cluster = new FakeCluster();
  await using other = new FakeCluster();
  await serveOnlyV1beta1(cluster);
  const served = servedSnapshotApi(cluster);
  await Array.fromAsync(served.list(volumeSnapshots));
  cluster.seed(await Array.fromAsync(other.list(Resources.customResourceDefinitions)));
  await served.discover();
  expect(await Array.fromAsync(served.list(volumeSnapshots))).toEqual([]);
});

it('leaves it to the server to say that it serves neither', async () => {
  await using cluster = new FakeCluster({ withCsi: false });
  const served = servedSnapshotApi(cluster);
  await expect(Array.fromAsync(served.list(volumeSnapshots))).rejects.toMatchObject({
    code: 'NotFound',
  });
  expect(await served.get({ ...volumeSnapshotContents, name: 'c' })).toBeUndefined();
});

it('is aborted like the cluster itself', async () => {
  await using cluster = new FakeCluster();
  const reason = new Error('stop');
  const listed = Array.fromAsync(
    servedSnapshotApi(cluster).list(volumeSnapshots, { signal: AbortSignal.abort(reason) }),
  );
  await expect(listed).rejects.toBe(reason);
});
