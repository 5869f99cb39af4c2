import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConcurrencyWindow } from '../internal/concurrency-window.ts';
import type { Cluster } from '../ports/cluster.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { pacedCluster } from './paced-cluster.ts';

const namespaces = { group: '', version: 'v1', resource: 'namespaces' };
const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
});

afterEach(() => cluster.close());

it('sends a refused request again, waiting longer each time, and narrows the window meanwhile', async () => {
  const slept: number[] = [];
  const clock = new ManualClock();
  const window = new ConcurrencyWindow(8);
  const paced = pacedCluster({
    cluster,
    window,
    clock: { now: () => clock.now(), sleep: async (ms) => void slept.push(ms) },
  });
  cluster.faults.inject({ operation: 'create', error: 'RateLimited', times: 2 });
  await paced.create(namespaces, shop);
  expect(slept).toEqual([1_000, 2_000]);
  expect(window.width).toBe(2);
  expect(await cluster.get({ ...namespaces, name: 'shop' })).toBeDefined();
});

it('gives up after some tries, and passes any other error on at once', async () => {
  let sleeps = 0;
  const sleep = async (): Promise<void> => {
    sleeps += 1;
  };
  const clock = { now: () => new Date(0), sleep };
  const paced = pacedCluster({ cluster, window: new ConcurrencyWindow(8), clock });
  const overload = cluster.faults.inject({ operation: 'create', error: 'RateLimited' });
  await expect(paced.create(namespaces, shop)).rejects.toMatchObject({ code: 'RateLimited' });
  expect(sleeps).toBe(7);
  overload[Symbol.dispose]();
  cluster.faults.inject({ operation: 'create', error: 'Forbidden' });
  await expect(paced.create(namespaces, shop)).rejects.toMatchObject({ code: 'Forbidden' });
  expect(sleeps).toBe(7);
});

it('narrows the window for what the cluster sends again by itself, once for all that was under way', async () => {
  const window = new ConcurrencyWindow(8);
  const told: string[] = [];
  const impatient: Cluster = {
    ...pacedCluster({ cluster, window: new ConcurrencyWindow(1), clock: new ManualClock() }),
    create: async (resource, manifest, options) => {
      await Promise.resolve();
      options?.onRateLimited?.();
      return cluster.create(resource, manifest, { dryRun: options?.dryRun });
    },
  };
  const paced = pacedCluster({ cluster: impatient, window, clock: new ManualClock() });
  const create = (): Promise<unknown> =>
    paced.create(namespaces, shop, { dryRun: true, onRateLimited: () => told.push('told') });
  await Promise.all([create(), create()]);
  expect(told).toEqual(['told', 'told']);
  expect(window.width).toBe(4);
});
