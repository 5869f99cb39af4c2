import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLifeboatError } from '../../errors.ts';
import { ManualClock } from '../manual-clock.ts';
import type { ClusterFault } from './cluster-faults.ts';
import { FakeCluster } from './fake-cluster.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
const reference = { ...configMaps, namespace: 'default', name: 'a' };
const manifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default' },
};

describe('ClusterFaults', () => {
  let clock: ManualClock;
  let cluster: FakeCluster;
  beforeEach(() => {
    clock = new ManualClock();
    cluster = new FakeCluster({ clock });
  });
  afterEach(async () => {
    await cluster.close();
  });

  const succeeds = async (): Promise<boolean> => {
    try {
      await cluster.get(reference);
      return true;
    } catch (error) {
      expect(isLifeboatError(error, 'Unavailable')).toBe(true);
      return false;
    }
  };

  it.each<[string, ClusterFault, boolean]>([
    ['any request', {}, false],
    ['its operation', { operation: 'get' }, false],
    ['another operation', { operation: 'create' }, true],
    ['its resource', { resource: 'configmaps' }, false],
    ['another resource', { resource: 'deployments.apps' }, true],
    ['its namespace', { namespace: 'default' }, false],
    ['another namespace', { namespace: 'shop' }, true],
    ['its name', { name: 'a' }, false],
    ['another name', { name: 'b' }, true],
  ])('a fault of %s hits or misses', async (_name, fault, expected) => {
    cluster.faults.inject({ ...fault, error: 'Unavailable' });
    expect(await succeeds()).toBe(expected);
  });

  it('hits so many times, after so many passes', async () => {
    cluster.faults.inject({ error: 'Unavailable', after: 1, times: 2 });
    const outcomes = [await succeeds(), await succeeds(), await succeeds(), await succeeds()];
    expect(outcomes).toEqual([true, false, false, true]);
  });

  it('ends when it is disposed, and when all are cleared', async () => {
    {
      using _fault = cluster.faults.inject({ error: 'Unavailable' });
      expect(await succeeds()).toBe(false);
    }
    expect(await succeeds()).toBe(true);
    cluster.faults.inject({ error: 'Unavailable' });
    cluster.faults.clear();
    expect(await succeeds()).toBe(true);
  });

  it('throws the very error that it is given', async () => {
    const error = new Error('mine');
    cluster.faults.inject({ error });
    await expect(cluster.get(reference)).rejects.toBe(error);
  });

  it('delays a request by the clock, and lets it be aborted meanwhile', async () => {
    cluster.faults.inject({ delayMs: 5000 });
    const slow = cluster.version();
    const controller = new AbortController();
    const aborted = cluster.version({ signal: controller.signal });
    const reason = new Error('too slow');
    setImmediate(() => {
      controller.abort(reason);
    });
    await expect(aborted).rejects.toBe(reason);
    await clock.advance(5000);
    expect((await slow).gitVersion).toBe('v1.36.3');
  });

  it('carries a request out although its answer is lost', async () => {
    cluster.faults.inject({ operation: 'create', error: 'Unavailable', answerLost: true });
    await expect(cluster.create(configMaps, manifest)).rejects.toMatchObject({
      code: 'Unavailable',
      retryable: true,
    });
    expect(await cluster.get(reference)).toBeDefined();
  });

  it('hits one connection only', async () => {
    const other = cluster.connect();
    other.faults.inject({ error: 'Forbidden' });
    await expect(other.get(reference)).rejects.toMatchObject({
      code: 'Forbidden',
      httpStatus: 403,
    });
    expect(await succeeds()).toBe(true);
  });
});
