import { expect, it } from 'vitest';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { backupNamed, inputFor, listsOf } from './action-fixture.ts';
import { createCustomResourceAction } from './custom-resource.ts';

const definitions = 'customresourcedefinitions.apiextensions.k8s.io';
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gizmos.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo', listKind: 'GizmoList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: {} }],
  },
};
const reference = { ...Resources.customResourceDefinitions, name: 'gizmos.example.com' };

function object(apiVersion: string, kind: string): KubernetesObject {
  return { apiVersion, kind, metadata: { namespace: 'shop', name: 'a' } };
}

it.each([
  { what: 'a custom resource', item: object('example.com/v1', 'Gizmo'), pulled: [reference] },
  { what: 'a kind of an aggregated API', item: object('example.com/v1', 'Other'), pulled: [] },
  { what: 'a Pod', item: object('v1', 'Pod'), pulled: undefined },
  { what: 'a Deployment', item: object('apps/v1', 'Deployment'), pulled: undefined },
  {
    what: 'a RoleBinding',
    item: object('rbac.authorization.k8s.io/v1', 'RoleBinding'),
    pulled: undefined,
  },
])('what $what pulls along', async ({ item, pulled }) => {
  await using cluster = new FakeCluster();
  await cluster.create(Resources.customResourceDefinitions, definition);
  const action = createCustomResourceAction();
  const output = await action.execute(inputFor(item, backupNamed('b'), cluster));
  expect(output.additionalItems).toEqual(pulled);
});

it('definitions are listed once for each backup, and not at all without custom resources', async () => {
  await using cluster = new FakeCluster();
  await cluster.create(Resources.customResourceDefinitions, definition);
  const action = createCustomResourceAction();
  for (const backup of [backupNamed('a'), backupNamed('b')]) {
    await action.execute(inputFor(object('v1', 'Pod'), backup, cluster));
  }
  expect(listsOf(cluster, definitions)).toBe(0);
  for (const backup of [backupNamed('a'), backupNamed('b')]) {
    for (const kind of ['Gizmo', 'Gizmo', 'Other']) {
      await action.execute(inputFor(object('example.com/v1', kind), backup, cluster));
    }
  }
  expect(listsOf(cluster, definitions)).toBe(2);
});

it('a user who may not list definitions gets one warning', async () => {
  await using cluster = new FakeCluster();
  cluster.faults.inject({ operation: 'list', resource: definitions, error: 'Forbidden' });
  const action = createCustomResourceAction();
  const backup = backupNamed('b');
  const issues = [];
  for (const kind of ['Gizmo', 'Other']) {
    const item = object('example.com/v1', kind);
    const output = await action.execute(inputFor(item, backup, cluster));
    expect(output.additionalItems).toEqual([]);
    issues.push(...(output.issues ?? []));
  }
  expect(issues).toMatchObject([{ severity: 'warning', reason: 'DefinitionsNotRead' }]);
});
