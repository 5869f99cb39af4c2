import { expect, it } from 'vitest';
import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { objectAt, stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { SnapshotBench } from './snapshot-bench-fixture.ts';
import type { SnapshotSession } from './snapshot-session.ts';
import { beingCreatedAnnotation } from './snapshot-step.ts';

type Bench = SnapshotBench<FakeCluster>;

function openBench(): Promise<Bench> {
  return SnapshotBench.open((clock) => new FakeCluster({ clock }));
}

it.each([1, 2])(
  'frees a content from which the sidecar wipes the mark of its deletion, %i times',
  async (times) => {
    await using bench = await openBench();
    bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 1_000 });
    const session = await bench.openSession();
    const stop = new AbortController();
    const wiping = wipeMark(bench, times, stop.signal);
    const backup = new AbortController();
    const onState = (state: string): void => {
      if (state === 'Bound') {
        backup.abort(new Error('stop'));
      }
    };
    const request = await bench.request({ onState });
    await expect(session.take(request, { signal: backup.signal })).rejects.toThrow('stop');
    stop.abort();
    expect(await wiping).toBe(times);
    expect(bench.warnings).toEqual([]);
    expect(await bench.leftovers()).toEqual([]);
  },
);

it('deletes a VolumeSnapshot only as it was last seen, and again when it has changed', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  const reference = referenceTo(Resources.volumeSnapshots, snapshot.volumeSnapshot);
  const versions: (string | undefined)[] = [];
  const { cluster } = bench;
  const deleteObject = cluster.delete.bind(cluster);
  cluster.delete = async (target, options = {}): Promise<void> => {
    if (target.resource === reference.resource) {
      versions.push(options.resourceVersion);
      if (versions.length === 1) {
        const patch = { metadata: { annotations: { late: 'yes' } } };
        await cluster.patch(reference, { type: 'merge', patch });
      }
    }
    await deleteObject(target, options);
  };
  await session.discard(snapshot);
  const [first, second, ...others] = versions;
  expect(first).toMatch(/^\d+$/);
  expect(Number(second)).toBeGreaterThan(Number(first));
  expect(others).toEqual([]);
  expect(await bench.leftovers()).toEqual([]);
});

it('lets no content go without a finalizer while the driver is cutting', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 1_000 });
  await cancelUnguarded(bench, await bench.openSession());
  // A storage snapshot that is left over comes when the driver is done.
  await bench.clock.sleep(2_000);
  expect(await bench.leftovers()).toEqual([]);
});

it('guards a content that has outlived its VolumeSnapshot while the driver is cutting', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 1_000 });
  const session = await bench.openSession();
  const cutting = untilCutting(bench);
  const taken = expect(session.take(await bench.request())).rejects.toThrow('by someone else');
  const content = await cutting;
  const reference = objectAt(content, ['spec', 'volumeSnapshotRef']) ?? {};
  const name = stringAt(reference, ['name']) ?? '';
  await bench.cluster.delete({ ...Resources.volumeSnapshots, namespace: 'shop', name });
  await taken;
  await bench.clock.sleep(2_000);
  expect(await bench.leftovers()).toEqual([]);
});

it('deletes a VolumeSnapshot in the time it has, although its content never gets a finalizer', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 3_600_000 });
  await cancelUnguarded(bench, await bench.openSession({ cleanUpTimeoutMs: 1_000 }));
  expect(await bench.leftovers()).toEqual([]);
});

it('does not touch a content of somebody else for a VolumeSnapshot of the same name', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'DeleteSnapshot', delayMs: 1_000 });
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  const discarding = session.discard(snapshot);
  for await (const event of bench.cluster.watch(Resources.volumeSnapshotContents)) {
    if ('object' in event && event.object.metadata.deletionTimestamp !== undefined) {
      break;
    }
  }
  const { name, namespace = '' } = snapshot.volumeSnapshot.metadata;
  await bench.cluster.create(Resources.volumeSnapshotContents, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'of-somebody-else' },
    spec: {
      deletionPolicy: 'Retain',
      driver: snapshot.driver,
      source: { snapshotHandle: 'another' },
      volumeSnapshotRef: { name, namespace },
    },
  });
  await discarding;
  expect(await bench.leftovers()).toEqual(['VolumeSnapshotContent']);
});

/** Cancels a snapshot that the driver is cutting, and whose content has no finalizer. */
async function cancelUnguarded(bench: Bench, session: SnapshotSession): Promise<void> {
  const backup = new AbortController();
  const cutting = untilCutting(bench);
  const taken = session.take(await bench.request(), { signal: backup.signal });
  const outcome = expect(taken).rejects.toThrow('stop');
  await cutting;
  backup.abort(new Error('stop'));
  await outcome;
}

/**
 * Resolves with a protected content whose snapshot the driver is cutting, and takes its finalizers: the sidecar, which puts them
 * on here, is busy with the call; in a cluster the snapshot-controller has not come to it yet.
 */
async function untilCutting({ cluster }: Bench): Promise<KubernetesObject> {
  for await (const event of cluster.watch(Resources.volumeSnapshotContents)) {
    const content = 'object' in event ? event.object : undefined;
    const isProtected = content && stringAt(content, ['spec', 'deletionPolicy']) === 'Retain';
    if (isProtected && content.metadata.annotations?.[beingCreatedAnnotation] !== undefined) {
      const patch = { metadata: { finalizers: null } };
      const reference = referenceTo(Resources.volumeSnapshotContents, content);
      return cluster.patch(reference, { type: 'merge', patch });
    }
  }
  throw new Error('the watch has ended');
}

const beingDeleted = 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted';

/**
 * Plays a snapshot-controller that has let go of the VolumeSnapshot before a sidecar writes the annotations of the content as
 * they were before it was marked. Resolves with how often it has done so when the signal aborts.
 */
async function wipeMark({ cluster }: Bench, times: number, signal: AbortSignal): Promise<number> {
  let wiped = 0;
  const contents = cluster.watch(Resources.volumeSnapshotContents, { signal });
  for await (const event of untilAborted(contents, signal)) {
    const content = 'object' in event ? event.object : undefined;
    if (content?.metadata.annotations?.[beingDeleted] === undefined || wiped === times) {
      continue;
    }
    wiped += 1;
    const reference = objectAt(content, ['spec', 'volumeSnapshotRef']) ?? {};
    const [name = '', namespace = ''] = [
      stringAt(reference, ['name']),
      stringAt(reference, ['namespace']),
    ];
    const volumeSnapshot = { ...Resources.volumeSnapshots, namespace, name };
    if ((await cluster.get(volumeSnapshot)) !== undefined) {
      const patch = { metadata: { finalizers: null } };
      await cluster.patch(volumeSnapshot, { type: 'merge', patch });
    }
    const patch = { metadata: { annotations: { [beingDeleted]: null } } };
    await cluster.patch(referenceTo(Resources.volumeSnapshotContents, content), {
      type: 'merge',
      patch,
    });
  }
  return wiped;
}

async function* untilAborted<T>(events: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    yield* events;
  } catch (error) {
    if (error !== signal.reason) {
      throw error;
    }
  }
}
