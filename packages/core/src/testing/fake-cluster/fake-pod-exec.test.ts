import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster } from './fake-cluster.ts';

const request = {
  namespace: 'default',
  podName: 'app',
  containerName: 'main',
  command: ['sh', '-c', 'echo hello'],
};

describe('FakePodExec', () => {
  let cluster: FakeCluster;
  beforeEach(async () => {
    cluster = new FakeCluster();
    cluster.seed([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'app', namespace: 'default' },
        spec: { containers: [{ name: 'main', image: 'busybox:1.36' }] },
        status: { phase: 'Running' },
      },
    ]);
    await cluster.settle();
  });
  afterEach(async () => {
    await cluster.close();
  });

  it('succeeds silently without a handler', async () => {
    const result = await cluster.podExec.exec(request);
    expect(result).toMatchObject({ exitCode: 0, truncated: false });
    expect(result.stdout).toHaveLength(0);
  });

  it('ends as the handler says, with what it was given', async () => {
    cluster.onExec(({ command }, { stdin }) => ({
      exitCode: 3,
      stdout: `${command.join(' ')}|${Buffer.from(stdin).toString()}`,
      stderr: new Uint8Array([1, 2]),
    }));
    const result = await cluster.podExec.exec(request, { stdin: Buffer.from('in') });
    expect(Buffer.from(result.stdout).toString()).toBe('sh -c echo hello|in');
    expect([...result.stderr]).toEqual([1, 2]);
    expect(result.exitCode).toBe(3);
  });

  it('drops output beyond the limit', async () => {
    cluster.onExec(() => ({ stdout: 'abcdef' }));
    const result = await cluster.podExec.exec(request, { maximumOutputBytes: 2 });
    expect(Buffer.from(result.stdout).toString()).toBe('ab');
    expect(result.truncated).toBe(true);
  });

  it.each([
    ['pod', { ...request, podName: 'other' }],
    ['container', { ...request, containerName: 'other' }],
  ])('rejects with NotFound without the %s', async (_name, wrong) => {
    await expect(cluster.podExec.exec(wrong)).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('fails under the faults of its connection, is logged, and ends with it', async () => {
    using _fault = cluster.faults.inject({ operation: 'exec', error: 'Forbidden', times: 1 });
    await expect(cluster.podExec.exec(request)).rejects.toMatchObject({ code: 'Forbidden' });
    expect(cluster.requests.at(-1)).toMatchObject({ operation: 'exec', name: 'app' });
    await cluster.close();
    await expect(cluster.podExec.exec(request)).rejects.toMatchObject({ code: 'Closed' });
  });

  it('rejects with the reason of an abort during the command', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    cluster.onExec(() => {
      controller.abort(reason);
      return {};
    });
    await expect(cluster.podExec.exec(request, { signal: controller.signal })).rejects.toBe(reason);
  });
});
