import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { RestoreScene } from './restore-scene-fixture.ts';
import { archivedObject } from './stored-backup-fixture.ts';

const request = { spec: { backupName: 'old' } };
const ingresses = { group: 'networking.k8s.io', version: 'v1', resource: 'ingresses' };

const spec = { defaultBackend: { service: { name: 'web', port: { number: 80 } } } };

let scene: RestoreScene;

beforeEach(async () => {
  scene = RestoreScene.open();
  await scene.storeBackup('old', [
    ['ingresses', archivedObject('extensions/v1beta1', 'Ingress', { name: 'web' }, { spec })],
    ['configmaps', archivedObject('v1', 'ConfigMap', { name: 'config' })],
  ]);
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

/** Makes objects of another kind: kind in the backup → what its objects become. */
function making(
  changes: Readonly<Record<string, Pick<KubernetesManifest, 'apiVersion' | 'kind'>>>,
): { readonly actions: readonly RestoreItemAction[] } {
  const action: RestoreItemAction = {
    name: 'example.com/modernise',
    appliesTo: {},
    execute: async ({ item }) => ({ item: { ...item, ...changes[item.kind] } }),
  };
  return { actions: [action] };
}

it('an object of a version that the target does not serve comes back as what an action makes of it, in a plan too', async () => {
  const options = making({
    Ingress: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  });
  const plan = await scene.plan(request, options);
  expect(plan.issues).toEqual([]);
  const target = { groupResource: 'ingresses.networking.k8s.io', namespace: 'shop', name: 'web' };
  expect(plan.items).toContainEqual(expect.objectContaining({ target, action: 'create' }));
  // Where it is restored, though the backup has no object of that kind.
  expect(plan.items.map(({ target: { groupResource } }) => groupResource)).toEqual([
    'namespaces',
    'configmaps',
    'ingresses.networking.k8s.io',
  ]);
  const { issues, items } = await scene.restore(plan, options);
  expect(issues).toEqual([]);
  expect(items).toContainEqual(expect.objectContaining({ object: target, action: 'created' }));
  expect(await scene.cluster.get({ ...ingresses, namespace: 'shop', name: 'web' })).toBeDefined();
});

it('an object that has become one that exists is held against that', async () => {
  scene.cluster.seed([
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'shop', name: 'config' },
      data: { a: '' },
    },
  ]);
  const changes = { ConfigMap: { apiVersion: 'v1', kind: 'Secret' } };
  const { items, issues } = await scene.restore(request, making(changes));
  const object = { groupResource: 'secrets', namespace: 'shop', name: 'config' };
  expect(items).toContainEqual(expect.objectContaining({ object, action: 'skipped' }));
  expect(issues).toContainEqual(expect.objectContaining({ reason: 'ExistsAndDiffers', object }));
  const configMap = { ...Resources.configMaps, namespace: 'shop', name: 'config' };
  expect(await scene.cluster.get(configMap)).toBeUndefined();
});

it.each([
  ['Nonsense', 'v1'],
  ['Node', 'v1'],
])('a %s is no place for it: a warning that says what became of it', async (kind, apiVersion) => {
  const { issues } = await scene.restore(request, making({ ConfigMap: { apiVersion, kind } }));
  expect(issues).toContainEqual({
    severity: 'warning',
    reason: 'ResourceNotServed',
    message: expect.stringContaining(`made it a ${kind} of ${apiVersion}`) as string,
    object: { groupResource: 'configmaps', namespace: 'shop', name: 'config' },
  });
});
