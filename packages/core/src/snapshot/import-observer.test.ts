import { afterEach, beforeEach, expect, it } from 'vitest';
import { readonlyCluster } from '../internal/readonly-cluster.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { WatchEvent, WatchOptions } from '../ports/cluster.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { ImportObserver } from './import-observer.ts';

const signal = new AbortController().signal;
let cluster: FakeCluster;
let observer: ImportObserver;

beforeEach(() => {
  cluster = new FakeCluster();
  observer = new ImportObserver({ cluster, restoreName: 'r-1' });
});

afterEach(async () => {
  await observer[Symbol.asyncDispose]();
  await cluster.close();
});

function create(name: string, restoreName = 'r-1', namespace = 'shop'): KubernetesObject {
  const manifest: KubernetesManifest = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace, labels: { [VeleroLabel.restoreName]: restoreName } },
    // Of a content that nobody makes, so that no controller does anything.
    spec: { source: { volumeSnapshotContentName: 'none' } },
  };
  const [created] = cluster.seed([manifest]);
  if (created === undefined) {
    throw new Error('nothing was seeded');
  }
  return created;
}

async function annotate({ metadata: { name } }: KubernetesObject, text: string): Promise<void> {
  const patch = { metadata: { annotations: { text } } };
  const reference = { ...Resources.volumeSnapshots, namespace: 'shop', name };
  await cluster.patch(reference, { type: 'merge', patch });
}

type Tracked = Awaited<ReturnType<ImportObserver['track']>>;

async function untilAnnotated(tracked: Tracked, text: string): Promise<void> {
  const found = (): string | undefined =>
    tracked.volumeSnapshot && stringAt(tracked.volumeSnapshot, ['metadata', 'annotations', 'text']);
  while (found() !== text) {
    await tracked.changed({ signal });
  }
}

function watches(): number {
  return cluster.requests.filter(({ operation }) => operation === 'watch').length;
}

it('follows all VolumeSnapshots of a restore in a namespace through one watch, and others through one each', async () => {
  const ours = [create('a'), create('b'), create('c')];
  const other = create('d', 'r-0');
  const tracked = await Promise.all(
    [...ours, other].map((each) => observer.track(each, { signal })),
  );
  await Promise.all([...ours, other].map((each) => annotate(each, each.metadata.name)));
  await Promise.all(
    tracked.map((each, index) => untilAnnotated(each, ['a', 'b', 'c', 'd'][index] ?? '')),
  );
  expect(watches()).toBe(2);
});

it('knows what had happened to a VolumeSnapshot before it was tracked', async () => {
  const first = create('a');
  await untilAnnotated(await annotatedAnd(first, 'begun'), 'begun');
  const second = create('b');
  await annotate(second, 'missed');
  const gone = create('c');
  await cluster.delete({ ...Resources.volumeSnapshots, namespace: 'shop', name: 'c' });
  await untilAnnotated(await observer.track(second, { signal }), 'missed');
  expect((await observer.track(gone, { signal })).volumeSnapshot).toBeUndefined();
});

async function annotatedAnd(object: KubernetesObject, text: string): Promise<Tracked> {
  const tracked = await observer.track(object, { signal });
  await annotate(object, text);
  return tracked;
}

it('looks for what a watch does not tell of any more when it had to begin anew', async () => {
  const kept = create('a');
  const gone = create('b');
  const restart = Promise.withResolvers<void>();
  const watch = async function* (
    _resource: unknown,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent> {
    yield { type: 'synced' };
    await restart.promise;
    yield { type: 'restarted' };
    yield { type: 'added', object: kept };
    yield { type: 'synced' };
    await systemClock.sleep(3_600_000, options.signal);
  };
  await using forgetful = new ImportObserver({
    cluster: { ...readonlyCluster(cluster), watch },
    restoreName: 'r-1',
  });
  const trackedKept = await forgetful.track(kept, { signal });
  const trackedGone = await forgetful.track(gone, { signal });
  await cluster.delete({ ...Resources.volumeSnapshots, namespace: 'shop', name: 'b' });
  restart.resolve();
  while (trackedGone.volumeSnapshot !== undefined) {
    await trackedGone.changed({ signal });
  }
  expect(trackedKept.volumeSnapshot).toBeDefined();
});

it('rejects what waits when the watch is over, and has it watched again for the next', async () => {
  using fault = cluster.faults.inject({
    operation: 'watch',
    resource: 'volumesnapshots.snapshot.storage.k8s.io',
    error: 'Forbidden',
  });
  const first = await observer.track(create('a'), { signal });
  await expect(first.changed({ signal })).rejects.toMatchObject({ code: 'Forbidden' });
  fault[Symbol.dispose]();
  const second = create('b');
  await untilAnnotated(await annotatedAnd(second, 'seen'), 'seen');
});

it('reads only the namespaces that it is restored into, and one that may not be read hinders no other', async () => {
  const resource = 'volumesnapshots.snapshot.storage.k8s.io';
  cluster.faults.inject({ operation: 'watch', resource, namespace: 'other', error: 'Forbidden' });
  const first = create('a');
  const seen = await observer.track(first, { signal });
  const unseen = await observer.track(create('a', 'r-1', 'other'), { signal });
  await expect(unseen.changed({ signal })).rejects.toMatchObject({ code: 'Forbidden' });
  await annotate(first, 'seen');
  await untilAnnotated(seen, 'seen');
  const asked = cluster.requests.filter((request) => request.resource === resource);
  expect(new Set(asked.map(({ namespace }) => namespace))).toEqual(new Set(['shop', 'other']));
});

it('rejects what still waits when it is closed', async () => {
  const tracked = await observer.track(create('a'), { signal });
  const changed = expect(
    (async () => {
      for (;;) {
        await tracked.changed({ signal });
      }
    })(),
  ).rejects.toMatchObject({ code: 'Closed' });
  await observer[Symbol.asyncDispose]();
  await changed;
});
