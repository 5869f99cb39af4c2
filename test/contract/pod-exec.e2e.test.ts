import { createHash, randomBytes } from 'node:crypto';
import { type ExecOptions, type ExecResult, isLifeboatError, Resources } from '@lifeboat/core';
import { connectKubeConfig, type KubernetesConnection } from '@lifeboat/core/kubernetes';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ClusterDescription } from '../cluster/boot-cluster.ts';
import { clusterUnavailable } from '../cluster/test-cluster.ts';
import { administratorConfig, tokenConfig } from './kube-configs.ts';

const namespace = `exec-${randomBytes(5).toString('hex')}`;
const target = { namespace, podName: 'web', containerName: 'app' };

describe.skipIf(clusterUnavailable({ node: true }) !== undefined)('commands in a real pod', () => {
  let description: ClusterDescription;
  let connection: KubernetesConnection;
  const exec = (command: readonly string[], options?: ExecOptions): Promise<ExecResult> =>
    connection.podExec.exec({ ...target, command }, options);

  beforeAll(async () => {
    const provided = inject('testCluster');
    if (!provided.available) throw new Error(provided.reason);
    [description] = provided.clusters;
    connection = connectKubeConfig(administratorConfig(description));
    await startPod(connection);
  });

  afterAll(async () => {
    await connection.cluster.delete({ ...Resources.namespaces, name: namespace });
    await connection.close();
  });

  it('a command that succeeds gives exit code 0, and stdout and stderr apart', async () => {
    const result = await exec(['sh', '-c', 'echo out; echo err >&2']);
    expect(result.exitCode).toBe(0);
    expect(textOf(result.stdout)).toBe('out\n');
    expect(textOf(result.stderr)).toBe('err\n');
    expect(result.truncated).toBe(false);
  });

  it('an exit code other than zero is a result', async () => {
    const result = await exec(['sh', '-c', 'echo sorry >&2; exit 42']);
    expect(result.exitCode).toBe(42);
    expect(textOf(result.stderr)).toBe('sorry\n');
  });

  it('arguments reach the program as they are, without a shell', async () => {
    const result = await exec(['printf', '%s|', '$HOME', 'a b', '', '"\'&?+%20', 'żółw']);
    expect(textOf(result.stdout)).toBe('$HOME|a b||"\'&?+%20|żółw|');
  });

  it('stdin arrives byte by byte, and ends', async () => {
    const stdin = randomBytes(300_000);
    const result = await exec(['sha256sum'], { stdin });
    const digest = createHash('sha256').update(stdin).digest('hex');
    expect(textOf(result.stdout)).toBe(`${digest}  -\n`);
  });

  it('empty stdin ends at once', async () => {
    const result = await exec(['cat'], { stdin: new Uint8Array() });
    expect(result).toEqual(expect.objectContaining({ exitCode: 0, truncated: false }));
    expect(result.stdout.byteLength).toBe(0);
  });

  it('binary output comes back whole', async () => {
    const stdin = randomBytes(100_000);
    const result = await exec(['cat'], { stdin });
    expect(Buffer.compare(result.stdout, stdin)).toBe(0);
  });

  it('output beyond the limit is read and dropped', async () => {
    const command = ['sh', '-c', 'head -c 3000000 /dev/zero; echo done >&2'];
    const result = await exec(command, { maximumOutputBytes: 1000 });
    expect(result.exitCode).toBe(0);
    expect(result.stdout.byteLength).toBe(1000);
    expect(textOf(result.stderr)).toBe('done\n');
    expect(result.truncated).toBe(true);
  });

  it('many commands run side by side', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => exec(['echo', String(index)])),
    );
    expect(results.map(({ stdout }) => textOf(stdout).trim())).toEqual(
      Array.from({ length: 20 }, (_, index) => String(index)),
    );
  });

  it('a missing pod is NotFound', async () => {
    const missing = { ...target, podName: 'missing', command: ['true'] };
    await expect(connection.podExec.exec(missing)).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('a missing container is NotFound, and the message names those that exist', async () => {
    const missing = { ...target, containerName: 'missing', command: ['true'] };
    await expect(connection.podExec.exec(missing)).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('it has app') as string,
    });
  });

  it('a program that does not exist is an error that says so', async () => {
    const outcome = await exec(['/no/such/program']).catch((error: unknown) => error);
    expect(isLifeboatError(outcome, 'Unknown')).toBe(true);
    expect(String(outcome)).toContain('/no/such/program');
  });

  it('a user without rights gets Forbidden, and the message holds no token', async () => {
    const { nobodyToken } = description;
    await using nobody = connectKubeConfig(tokenConfig(description, nobodyToken));
    const outcome = await nobody.podExec
      .exec({ ...target, command: ['true'] })
      .catch((error: unknown) => error);
    expect(isLifeboatError(outcome, 'Forbidden')).toBe(true);
    expect(String(outcome)).not.toContain(nobodyToken);
  });

  it('unknown credentials get Unauthorized', async () => {
    await using stranger = connectKubeConfig(tokenConfig(description, 'no-such-token'));
    const command = stranger.podExec.exec({ ...target, command: ['true'] });
    await expect(command).rejects.toMatchObject({ code: 'Unauthorized' });
  });

  it('a server that does not answer is Unavailable, retryable', async () => {
    await using nowhere = connectKubeConfig(tokenConfig(description, 'x', 'https://127.0.0.1:9'));
    const command = nowhere.podExec.exec({ ...target, command: ['true'] });
    await expect(command).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
  });

  it('an aborted command rejects with the reason, before it starts and while it runs', async () => {
    const reason = new Error('enough');
    await expect(exec(['true'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const running = exec(['sh', '-c', 'sleep 60'], { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 200);
    await expect(running).rejects.toBe(reason);
  });

  it('a closed connection rejects with Closed, also what runs', async () => {
    const other = connectKubeConfig(administratorConfig(description));
    const running = other.podExec.exec({ ...target, command: ['sleep', '60'] });
    setTimeout(() => void other.close(), 200);
    await expect(running).rejects.toMatchObject({ code: 'Closed' });
    const late = other.podExec.exec({ ...target, command: ['true'] });
    await expect(late).rejects.toMatchObject({ code: 'Closed' });
  });
});

async function startPod({ cluster }: KubernetesConnection): Promise<void> {
  const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.create(Resources.namespaces, manifest);
  await untilAdded(cluster.watch(Resources.serviceAccounts, { namespace }));
  await cluster.create(Resources.pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: target.podName, namespace },
    spec: {
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      containers: [
        {
          name: target.containerName,
          image: 'busybox:1.36',
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'],
        },
      ],
    },
  });
  for await (const event of cluster.watch(Resources.pods, { namespace })) {
    if ('object' in event && JSON.stringify(event.object).includes('"phase":"Running"')) return;
  }
}

async function untilAdded(
  events: ReturnType<KubernetesConnection['cluster']['watch']>,
): Promise<void> {
  for await (const { type } of events) {
    if (type === 'added') return;
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
