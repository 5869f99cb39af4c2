import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { archivedObject } from './stored-backup-fixture.ts';
import { TargetResources } from './target-resources.ts';

let cluster: FakeCluster;
let resources: TargetResources;

beforeEach(async () => {
  cluster = new FakeCluster();
  resources = await TargetResources.load(cluster);
});

afterEach(async () => {
  await cluster.close();
});

it('finds the resource of an object in the version that the backup holds', () => {
  const entry = { groupResource: 'deployments.apps', namespace: 'shop', name: 'web' };
  const object = archivedObject('apps/v1', 'Deployment', { name: 'web' });
  expect(resources.resourceOf(entry, object).resource).toMatchObject({
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
  });
});

const problems: readonly [
  what: string,
  groupResource: string,
  namespace: string | undefined,
  apiVersion: string,
  kind: string,
  reason: string,
  word: string,
][] = [
  [
    'an unknown resource',
    'gizmos.example.com',
    'shop',
    'example.com/v1',
    'Gizmo',
    'ResourceNotServed',
    'does not serve',
  ],
  [
    'an unknown version',
    'deployments.apps',
    'shop',
    'apps/v1beta1',
    'Deployment',
    'ResourceNotServed',
    'serves only v1',
  ],
  ['another kind', 'configmaps', 'shop', 'v1', 'Secret', 'CorruptObject', 'of kind ConfigMap'],
  [
    'a namespaced kind without namespace',
    'configmaps',
    undefined,
    'v1',
    'ConfigMap',
    'CorruptObject',
    'belongs into a namespace',
  ],
  [
    'a cluster-scoped kind in a namespace',
    'namespaces',
    'shop',
    'v1',
    'Namespace',
    'CorruptObject',
    'is cluster-scoped',
  ],
];

it.each(problems)(
  'says what is wrong with %s',
  (_what, groupResource, namespace, apiVersion, kind, reason, word) => {
    const object = archivedObject(apiVersion, kind, { name: 'x' });
    const { problem } = resources.resourceOf({ groupResource, namespace, name: 'x' }, object);
    expect(problem).toMatchObject({ reason, message: expect.stringContaining(word) as string });
  },
);

it('knows the short names of the target, and leaves others as they are', () => {
  expect(
    ['pvc', 'deploy', 'gizmos.example.com'].map((name) => resources.canonicalName(name)),
  ).toEqual(['persistentvolumeclaims', 'deployments.apps', 'gizmos.example.com']);
});
