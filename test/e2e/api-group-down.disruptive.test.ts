import { type Cluster, Resources } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';

// Every other backup meanwhile would be warned, too.
it('an API group whose server is down costs a backup, its plan and a restore one warning each, and no object', async (context) => {
  const kit = testCluster(context);
  const lab = await BackupLab.open(kit, context);
  const { cluster } = lab.connect();
  const namespace = await kit.createNamespace('down');
  await kit.kubectl(['create', 'configmap', 'settings', `--namespace=${namespace}`]);
  const group = `${kit.uniqueName('down')}.example.com`;
  const apiService = { kind: 'APIService', name: `v1.${group}` };
  context.onTestFinished(async () => {
    await kit.kubectl(['delete', 'apiservice', apiService.name, '--ignore-not-found']);
    await untilServed(cluster, group, 0);
  });
  const manifest = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: apiService.kind,
    metadata: { name: apiService.name },
    spec: {
      ...{ group, version: 'v1', groupPriorityMinimum: 100, versionPriority: 100 },
      insecureSkipTLSVerify: true,
      service: { namespace, name: 'nobody', port: 443 },
    },
  };
  await kit.kubectl(['apply', '--filename=-'], { input: JSON.stringify(manifest) });
  await untilServed(cluster, group, 1);

  const engine = lab.engine();
  const request = { name: 'down', spec: { includedNamespaces: [namespace] } };
  const plan = await engine.planBackup(request);
  const { backup, issues } = await engine.backup(request);
  expect(backup.status).toMatchObject({ phase: 'Completed', warnings: 1 });
  expect(issues).toMatchObject([{ severity: 'warning', reason: 'DiscoveryFailed' }]);
  expect(issues[0]?.message).toContain(`${group}/v1`);
  expect(plan.issues).toEqual(issues);
  const settings = { groupResource: 'configmaps', namespace, name: 'settings' };
  expect(await engine.catalog.getObject('down', settings)).toBeDefined();

  await cluster.delete({ ...Resources.configMaps, namespace, name: 'settings' });
  const restored = await engine.restore({ spec: { backupName: 'down' } });
  expect(restored.restore.status).toMatchObject({ phase: 'Completed', warnings: 1 });
  expect(restored.issues).toMatchObject([{ severity: 'warning', reason: 'DiscoveryFailed' }]);
  expect(restored.items).toContainEqual(
    expect.objectContaining({ action: 'created', object: settings }),
  );
});

/** Waits until discovery tells of so many versions of a group that it cannot read. */
async function untilServed(cluster: Cluster, group: string, failures: number): Promise<void> {
  await waitFor(
    async () => {
      const discovery = await cluster.discover();
      return discovery.failures.filter((failure) => failure.group === group).length === failures;
    },
    { what: `discovery to tell of ${failures} failures of ${group}`, timeoutMs: 120_000 },
  );
}
