import { Resources } from '@lifeboat/core';
import { connectKubeConfig, type KubernetesConnection } from '@lifeboat/core/kubernetes';
import { expect, it } from 'vitest';
import type { ClusterDescription } from '../cluster/boot-cluster.ts';
import { type ClusterTestContext, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { administratorConfig } from './kube-configs.ts';
import { startHttpProxy, startSocksProxy } from './tunnel-proxy.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
/** A name that is in the certificate of the server and that only the proxy can reach. */
const behindProxy = 'https://kubernetes.default.svc:443';
/** Nothing listens on the port of the discard service. */
const deadProxy = 'http://127.0.0.1:9';

/** The administrator, through the proxy of the cluster's entry. */
function connectThrough(
  cluster: ClusterDescription,
  proxyUrl: string,
  context: ClusterTestContext,
): KubernetesConnection {
  const kubeConfig = administratorConfig(cluster, behindProxy);
  kubeConfig.clusters = kubeConfig.clusters.map((entry) => ({ ...entry, proxyUrl }));
  const connection = connectKubeConfig(kubeConfig);
  context.onTestFinished(() => connection.close());
  return connection;
}

it.concurrent.for([
  { kind: 'HTTP', scheme: 'http', start: startHttpProxy },
  { kind: 'SOCKS', scheme: 'socks5', start: startSocksProxy },
])(
  'requests and watches go through the $kind proxy of a kubeconfig',
  async ({ scheme, start }, context) => {
    const kit = testCluster(context);
    const namespace = await kit.createNamespace('proxy');
    const proxy = await start(kit.describe().server);
    context.onTestFinished(() => proxy[Symbol.asyncDispose]());
    const proxyUrl = `${scheme}://127.0.0.1:${proxy.port}`;
    const { cluster } = connectThrough(kit.describe(), proxyUrl, context);

    expect((await cluster.version()).gitVersion).toMatch(/^v1\./);
    const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace } };
    await cluster.create(configMaps, manifest);
    const listed = await Array.fromAsync(cluster.list(configMaps, { namespace }));
    expect(listed.map(({ metadata }) => metadata.name)).toContain('a');
    for await (const event of cluster.watch(configMaps, { namespace })) {
      if (event.type === 'deleted') break;
      // Only now it is a change that the watch has to bring.
      if (event.type === 'synced') await cluster.delete({ ...configMaps, namespace, name: 'a' });
    }
    expect(new Set(proxy.asked)).toEqual(new Set(['kubernetes.default.svc:443']));
  },
);

it.concurrent('a command in a pod goes through the proxy of a kubeconfig', async (context) => {
  const kit = testCluster(context, { node: true });
  const namespace = await kit.createNamespace('proxy-exec');
  const proxy = await startHttpProxy(kit.describe().server);
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
  const proxyUrl = `http://127.0.0.1:${proxy.port}`;
  const { podExec } = connectThrough(kit.describe(), proxyUrl, context);
  const pod = { ...Resources.pods, namespace, name: 'web' };
  const run = [
    ...['run', pod.name, '--image=busybox:1.36', '--restart=Never', `--namespace=${namespace}`],
    ...['--', 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'],
  ];
  // The namespace's default service account may still be on its way.
  await waitFor(() => kit.kubectl(run), { what: `pod ${pod.name} to be admitted` });
  const isReady = ['--for=condition=Ready', '--timeout=120s', `--namespace=${namespace}`];
  await kit.kubectl(['wait', `pod/${pod.name}`, ...isReady]);

  const command = ['sh', '-c', 'cat; echo err >&2; exit 3'];
  const target = { namespace, podName: pod.name, containerName: pod.name };
  const result = await podExec.exec({ ...target, command }, { stdin: Buffer.from('in') });
  expect(result.exitCode).toBe(3);
  expect(Buffer.from(result.stdout).toString()).toBe('in');
  expect(Buffer.from(result.stderr).toString()).toBe('err\n');
  expect(proxy.asked).toEqual(['kubernetes.default.svc:443']);
});

it.concurrent('a proxy is given the name and the password of its address, and nobody else', async (context) => {
  const kit = testCluster(context);
  const credentials = 'someone:s3cret';
  const proxy = await startHttpProxy(kit.describe().server, { credentials });
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
  const connect = (user: string): KubernetesConnection =>
    connectThrough(kit.describe(), `http://${user}127.0.0.1:${proxy.port}`, context);

  expect((await connect(`${credentials}@`).cluster.version()).gitVersion).toMatch(/^v1\./);
  for (const user of ['', 'someone:wr0ng@']) {
    const { cluster, podExec } = connect(user);
    const request = { namespace: 'default', podName: 'a', containerName: 'a', command: ['true'] };
    for (const call of [() => cluster.version(), () => podExec.exec(request)]) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'ClusterError', code: 'Unavailable' });
      expect(String(error)).toContain(`through the proxy 127.0.0.1:${proxy.port}: `);
      expect(String(error)).not.toContain('wr0ng');
    }
  }
});

it.concurrent('a proxy that does not answer is Unavailable', async (context) => {
  const kit = testCluster(context);
  const { cluster } = connectThrough(kit.describe(), deadProxy, context);
  await expect(cluster.version()).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
});
