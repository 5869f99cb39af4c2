import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { RestoredPods } from './restored-pods.ts';

let cluster: FakeCluster;
let controller: AbortController;
let pods: RestoredPods;

beforeEach(async () => {
  cluster = new FakeCluster();
  controller = new AbortController();
  pods = new RestoredPods({ cluster, restoreName: 'r', signal: controller.signal });
  await cluster.create(Resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
  });
});

afterEach(async () => {
  controller.abort(new Error('the test is over'));
  await pods.ended();
  await cluster.close();
});

/** A pod that cannot start, because its claim is missing. */
function createPod(name: string): Promise<KubernetesObject> {
  return cluster.create(Resources.pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { 'velero.io/restore-name': 'r' } },
    spec: {
      containers: [{ name: 'c', image: 'busybox' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: `of-${name}` } }],
    },
  });
}

function reference(name: string) {
  return { ...Resources.pods, namespace: 'shop', name };
}

function setPhase(name: string, phase: string): Promise<KubernetesObject> {
  return cluster.patch(
    reference(name),
    { type: 'merge', patch: { status: { phase } } },
    { subresource: 'status' },
  );
}

it('what happened to a pod before it was followed is seen', async () => {
  const created = await createPod('a');
  await setPhase('a', 'Failed');
  const { state } = await pods.follow(created);
  expect(state).toMatchObject({ kind: 'seen', pod: { status: { phase: 'Failed' } } });
});

it('what happens to several pods is seen through one watch, each for itself', async () => {
  const [a, b] = [await createPod('a'), await createPod('b')];
  const [first, second] = [await pods.follow(a), await pods.follow(b)];
  const before = first.state;
  await setPhase('a', 'Failed');
  await first.changedFrom(before, controller.signal);
  await expect
    .poll(() => first.state, { timeout: 30_000 })
    .toMatchObject({ kind: 'seen', pod: { status: { phase: 'Failed' } } });
  expect(second.state).toMatchObject({ kind: 'seen', pod: { metadata: { name: 'b' } } });
  const watches = cluster.requests.filter(
    ({ operation, resource }) => operation === 'watch' && resource === 'pods',
  );
  expect(watches).toHaveLength(1);
}, 60_000);

it('a pod that was deleted before it was followed, or is replaced, is gone', async () => {
  const created = await createPod('a');
  await cluster.delete({ ...reference('a') }, { gracePeriodSeconds: 0 });
  expect((await pods.follow(created)).state).toEqual({ kind: 'gone' });
  await createPod('a');
  expect((await pods.follow(created)).state).toEqual({ kind: 'gone' });
});

it('a pod that was deleted while the watch was broken is gone', async () => {
  const [watched, kept] = [
    await pods.follow(await createPod('a')),
    await pods.follow(await createPod('b')),
  ];
  cluster.breakConnections();
  await cluster.delete(reference('a'), { gracePeriodSeconds: 0 });
  cluster.compact();
  await expect.poll(() => watched.state, { timeout: 30_000 }).toEqual({ kind: 'gone' });
  expect(kept.state).toMatchObject({ kind: 'seen' });
}, 60_000);

it('a pod that is forgotten is followed no more', async () => {
  const created = await createPod('a');
  const watched = await pods.follow(created);
  pods.forget(created);
  await setPhase('a', 'Failed');
  const other = await createPod('b');
  const marker = await pods.follow(other);
  const before = marker.state;
  await setPhase('b', 'Failed');
  await marker.changedFrom(before, controller.signal);
  expect(watched.state).not.toMatchObject({ pod: { status: { phase: 'Failed' } } });
});

it('an abort ends the watch, and makes what is followed unknown', async () => {
  const watched = await pods.follow(await createPod('a'));
  controller.abort(new Error('stop'));
  await pods.ended();
  expect(watched.state).toMatchObject({ kind: 'unknown' });
});
