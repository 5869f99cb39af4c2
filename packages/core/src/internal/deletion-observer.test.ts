import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { WatchEvent, WatchOptions } from '../ports/cluster.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { DeletionObserver } from './deletion-observer.ts';
import { readonlyCluster } from './readonly-cluster.ts';
import { systemClock } from './system-clock.ts';

const signal = new AbortController().signal;
let cluster: FakeCluster;
let observer: DeletionObserver;

beforeEach(() => {
  cluster = new FakeCluster();
  observer = new DeletionObserver(cluster);
});

afterEach(async () => {
  await observer[Symbol.asyncDispose]();
  await cluster.close();
});

function referenceOf(name: string): ObjectReference {
  return { ...Resources.configMaps, namespace: 'shop', name };
}

/** An object that its finalizer holds back although it was deleted. */
async function heldBack(name: string): Promise<KubernetesObject> {
  const metadata = { name, namespace: 'shop', finalizers: ['example.com/held'] };
  const [seeded] = cluster.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata }]);
  if (seeded === undefined) {
    throw new Error('nothing was seeded');
  }
  await cluster.delete(referenceOf(name));
  return seeded;
}

async function letGo(name: string): Promise<void> {
  const patch = { metadata: { finalizers: null } };
  await cluster.patch(referenceOf(name), { type: 'merge', patch });
}

/** Waits for an object, and tells whether it is known to be gone. */
function waitFor({ metadata: { name, uid } }: KubernetesObject): {
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
} {
  let isGone = false;
  const gone = observer.untilGone(referenceOf(name), uid, { signal }).then(() => {
    isGone = true;
  });
  return { gone, isGone: () => isGone };
}

async function untilWatched(times = 1): Promise<void> {
  while (watches().length < times) {
    await turn();
  }
}

function watches(): readonly unknown[] {
  return cluster.requests.filter(({ operation }) => operation === 'watch');
}

it('tells of each object when it is gone, by one watch for all of a namespace', async () => {
  const [first, second] = [await heldBack('first'), await heldBack('second')];
  const [one, two] = [waitFor(first), waitFor(second)];
  await untilWatched();
  await letGo('second');
  await two.gone;
  expect(one.isGone()).toBe(false);
  await letGo('first');
  await one.gone;
  expect(watches()).toHaveLength(1);
});

it('asks for no watch about what is gone already, or has become another', async () => {
  const object = await heldBack('gone');
  await letGo('gone');
  await waitFor(object).gone;
  await heldBack('gone');
  await waitFor(object).gone;
  expect(watches()).toEqual([]);
});

it('watches only while somebody waits, and anew for the next who does', async () => {
  const stopped = Promise.withResolvers<void>();
  const watch = async function* (
    ...[resource, options]: Parameters<FakeCluster['watch']>
  ): AsyncGenerator<WatchEvent> {
    try {
      yield* cluster.watch(resource, options);
    } finally {
      stopped.resolve();
    }
  };
  observer = new DeletionObserver({ ...readonlyCluster(cluster), watch });
  const abort = new AbortController();
  const { uid } = (await heldBack('first')).metadata;
  const waiting = observer.untilGone(referenceOf('first'), uid, { signal: abort.signal });
  await untilWatched();
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await stopped.promise;
  const second = waitFor(await heldBack('second'));
  await untilWatched(2);
  await letGo('second');
  await second.gone;
});

it('lets the pause end only when the object is gone', async () => {
  const { uid } = (await heldBack('first')).metadata;
  const steps: string[] = [];
  const pause = async <T>(wait: () => Promise<T>): Promise<T> => {
    steps.push('pauses');
    try {
      return await wait();
    } finally {
      steps.push('goes on');
    }
  };
  const gone = observer.untilGone(referenceOf('first'), uid, { signal, pause });
  await untilWatched();
  expect(steps).toEqual(['pauses']);
  await letGo('first');
  await gone;
  expect(steps).toEqual(['pauses', 'goes on']);
});

it('finds what it missed when the server has forgotten where it stood', async () => {
  const [kept, gone] = [await heldBack('kept'), await heldBack('gone')];
  const restart = Promise.withResolvers<void>();
  const watch = async function* (
    _resource: unknown,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent> {
    await restart.promise;
    yield { type: 'restarted' };
    yield { type: 'added', object: kept };
    yield { type: 'synced' };
    await systemClock.sleep(3_600_000, options.signal);
  };
  observer = new DeletionObserver({ ...readonlyCluster(cluster), watch });
  const [one, two] = [waitFor(kept), waitFor(gone)];
  const other = expect(one.gone).rejects.toMatchObject({ code: 'Closed' });
  await turn();
  await letGo('gone');
  restart.resolve();
  await two.gone;
  expect(one.isGone()).toBe(false);
  await observer[Symbol.asyncDispose]();
  await other;
});

it('begins with what exists when the version of the object is forgotten', async () => {
  const object = await heldBack('old');
  cluster.compact();
  await cluster.create(Resources.configMaps, {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'newer', namespace: 'shop' } },
  });
  cluster.compact();
  const waiting = waitFor(object);
  await untilWatched(2);
  await letGo('old');
  await waiting.gone;
});

it('rejects those who wait when there can be no watch, and asks again for the next', async () => {
  const object = await heldBack('first');
  {
    using _fault = cluster.faults.inject({ operation: 'watch', error: 'Forbidden' });
    await expect(waitFor(object).gone).rejects.toMatchObject({ code: 'Forbidden' });
  }
  const again = waitFor(object);
  await untilWatched(2);
  await letGo('first');
  await again.gone;
});

it('rejects those who wait when it is closed', async () => {
  const waiting = expect(waitFor(await heldBack('first')).gone).rejects.toMatchObject({
    code: 'Closed',
  });
  await untilWatched();
  await observer[Symbol.asyncDispose]();
  await waiting;
});
