import { expect, it } from 'vitest';
import { testCluster } from './test-cluster.ts';

it('a stopped process is away until its outage ends, and works again then', async (context) => {
  const cluster = testCluster(context);
  const outage = await cluster.stopProcess('kube-apiserver');
  await expect(cluster.kubectl(['get', 'namespaces'])).rejects.toThrow(/refused/);
  await outage.end();
  expect(await cluster.kubectl(['get', 'namespace', 'default', '-o', 'name'])).toBe(
    'namespace/default\n',
  );
});

it('a paused process does not answer until its outage ends', async (context) => {
  const cluster = testCluster(context);
  const outage = await cluster.pauseProcess('kube-apiserver');
  await expect(cluster.kubectl(['get', 'namespaces', '--request-timeout=1s'])).rejects.toThrow(
    /Timeout|timeout|deadline/,
  );
  await outage.end();
  expect(await cluster.kubectl(['get', 'namespace', 'default', '-o', 'name'])).toBe(
    'namespace/default\n',
  );
});
