import { expect, it } from 'vitest';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import { LifeboatLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createOwnObject } from './create-own-object.ts';

/** A clock that never waits and remembers for how long it was asked to. */
class SkippingClock implements Clock {
  readonly sleeps: number[] = [];

  now(): Date {
    return new Date(0);
  }

  async sleep(ms: number): Promise<void> {
    this.sleeps.push(ms);
  }
}

const own = manifestOf('run-1');
const creates = { operation: 'create', resource: 'configmaps' } as const;

function manifestOf(run: string): KubernetesManifest {
  const labels = { [LifeboatLabel.run]: run };
  const metadata = { namespace: 'default', name: 'own', labels };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

it('tries again while the API server fails, with growing pauses, and gives up', async () => {
  await using cluster = new FakeCluster();
  const clock = new SkippingClock();
  cluster.faults.inject({ ...creates, error: 'Unavailable', times: 4 });
  const created = await createOwnObject({ cluster, clock }, Resources.configMaps, own);
  expect(created.metadata.name).toBe('own');
  expect(clock.sleeps).toEqual([100, 200, 400, 800]);

  cluster.faults.inject({ ...creates, error: 'Unavailable' });
  await expect(
    createOwnObject({ cluster, clock }, Resources.configMaps, own),
  ).rejects.toMatchObject({ code: 'Unavailable' });
  expect(clock.sleeps).toHaveLength(8);
});

it('recognises what it has made although the answer was lost', async () => {
  await using cluster = new FakeCluster();
  const clock = new SkippingClock();
  cluster.faults.inject({ ...creates, error: 'Unavailable', answerLost: true, times: 1 });
  const created = await createOwnObject({ cluster, clock }, Resources.configMaps, own);
  expect(created.metadata.labels).toEqual({ [LifeboatLabel.run]: 'run-1' });
});

it.each(['before it tries', 'between its tries'])(
  'does not take the object of another run for its own: made %s',
  async (when) => {
    await using cluster = new FakeCluster();
    cluster.seed([manifestOf('run-2')]);
    const times = when === 'before it tries' ? 0 : 1;
    cluster.faults.inject({
      ...creates,
      error: 'Unavailable',
      after: times === 0 ? 9 : 0,
      times: 1,
    });
    await expect(
      createOwnObject({ cluster, clock: new SkippingClock() }, Resources.configMaps, own),
    ).rejects.toMatchObject({ code: 'AlreadyExists' });
  },
);

it.each(['Forbidden', 'RateLimited', 'Timeout', 'Invalid'] as const)(
  'does not repeat what was answered with %s',
  async (error) => {
    await using cluster = new FakeCluster();
    const clock = new SkippingClock();
    cluster.faults.inject({ ...creates, error });
    await expect(
      createOwnObject({ cluster, clock }, Resources.configMaps, own),
    ).rejects.toMatchObject({ code: error });
    expect(clock.sleeps).toEqual([]);
  },
);

it('stops with the reason of the signal', async () => {
  await using cluster = new FakeCluster();
  const stop = new AbortController();
  const reason = new Error('enough');
  const clock: Clock = {
    now: () => new Date(0),
    sleep: async (_ms, signal) => {
      stop.abort(reason);
      signal?.throwIfAborted();
    },
  };
  cluster.faults.inject({ ...creates, error: 'Unavailable' });
  const { signal } = stop;
  await expect(
    createOwnObject({ cluster, clock }, Resources.configMaps, own, { signal }),
  ).rejects.toBe(reason);
});
