import { createEngine, MemoryObjectStore } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { connectTestCluster } from './connect-test-cluster.ts';
import { VolumeWithData } from './volume-with-data.ts';

const application = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { a: 'b' } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }], type: 'NodePort' },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            { name: 'web', image: 'example.com/web', resources: { limits: { cpu: '1000m' } } },
          ],
        },
      },
    },
  },
];

it('a plan asks the API server, is carried out, and finds nothing to do once it was', async (context) => {
  const kit = testCluster(context);
  const { namespace } = await VolumeWithData.create(kit, { data: 'precious' });
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: application });
  await kit.kubectl(['apply', '--filename=-', `--namespace=${namespace}`], { input });
  const copy = kit.uniqueName('planned');
  kit.deleteNamespaceAtEnd(copy);
  await using connection = connectTestCluster(kit);
  await using store = new MemoryObjectStore();
  const engine = createEngine({ ...connection, store });
  await engine.backup({ name: 'planned', spec: { includedNamespaces: [namespace] } });

  const spec = { backupName: 'planned', namespaceMapping: { [namespace]: copy } };
  const plan = await engine.planRestore({ name: 'planned-1', spec });
  expect({ phase: plan.phase, missing: plan.missing, issues: plan.issues }).toEqual({
    ...{ phase: 'Completed', missing: [], issues: [] },
  });
  expect(plan.volumes).toEqual([expect.objectContaining({ claimName: 'data', from: 'snapshot' })]);
  const { restore, issues } = await engine.restore(plan);
  expect({ phase: restore.status.phase, issues }).toEqual({ phase: 'Completed', issues: [] });

  const again = await engine.planRestore({ name: 'planned-2', spec }, { dryRun: 'server' });
  expect(again.items.filter(({ action }) => action !== 'skip')).toEqual([]);
  const changed = '{"data":{"a":"changed"}}';
  await kit.kubectl([
    'patch',
    'configmap',
    'settings',
    `--namespace=${copy}`,
    '--type=merge',
    `--patch=${changed}`,
  ]);
  // Nothing but these: the class of the snapshots, which other tests share, would get the labels of this restore.
  const includedResources = ['configmaps'];
  const updating = { ...spec, includedResources, existingResourcePolicy: 'update' } as const;
  const update = await engine.planRestore(
    { name: 'planned-3', spec: updating },
    { dryRun: 'server' },
  );
  expect(update.items.filter(({ action }) => action === 'update')).toEqual([
    expect.objectContaining({
      target: { groupResource: 'configmaps', namespace: copy, name: 'settings' },
      diff: expect.arrayContaining([{ op: 'replace', path: '/data/a', value: 'b' }]) as unknown,
      isCheckedByServer: true,
    }),
  ]);
  await engine.restore(update);
  const output = '--output=jsonpath={.data.a}';
  expect(await kit.kubectl(['get', 'configmap', 'settings', `--namespace=${copy}`, output])).toBe(
    'b',
  );
});
