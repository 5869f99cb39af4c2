import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restoreKey } from '../catalog/key-layout.ts';
import { isLifeboatError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import type { RestoreEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { RestoreScene } from './restore-scene-fixture.ts';
import { settings, shop } from './shop-backup-fixture.ts';
import { archivedObject, storeBackup } from './stored-backup-fixture.ts';

let scene: RestoreScene;

beforeEach(() => {
  scene = RestoreScene.open();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

async function storedJson(key: string): Promise<JsonObject> {
  const bytes = await readAll(await scene.store.get(key), { maximumBytes: 1_000_000 });
  return JSON.parse(gunzipSync(bytes).toString()) as JsonObject;
}

function getConfigMap(namespace: string, name = 'settings'): Promise<KubernetesObject | undefined> {
  return scene.cluster.get({ ...Resources.configMaps, namespace, name });
}

/** A namespace whose deletion an object of its content holds back. */
describe('restoring objects', () => {
  it('makes the namespace and its objects anew, labelled with backup and restore', async () => {
    await storeBackup(scene.store, shop);
    const result = await scene.restore({ name: 'again', spec: { backupName: 'shop' } });
    expect(result.issues).toEqual([]);
    expect(result.restore.status).toMatchObject({
      phase: 'Completed',
      progress: { totalItems: 3, itemsRestored: 3 },
    });
    const namespace = await scene.cluster.get({ ...Resources.namespaces, name: 'shop' });
    expect(namespace?.metadata).toMatchObject({
      labels: { team: 'a' },
      annotations: { note: 'x' },
    });
    const restored = await getConfigMap('shop');
    expect(restored).toMatchObject({
      data: { a: 'b' },
      metadata: {
        labels: { 'velero.io/backup-name': 'shop', 'velero.io/restore-name': 'again' },
      },
    });
    expect(restored?.metadata.uid).not.toBe(settings.metadata.uid);
  });

  it('restores into the namespace that a mapping names', async () => {
    await storeBackup(scene.store, shop);
    await scene.restore({ spec: { backupName: 'shop', namespaceMapping: { shop: 'copy' } } });
    const namespace = await scene.cluster.get({ ...Resources.namespaces, name: 'copy' });
    expect(namespace?.metadata.labels?.['kubernetes.io/metadata.name']).toBe('copy');
    expect(await getConfigMap('copy')).toBeDefined();
    expect(await scene.cluster.get({ ...Resources.namespaces, name: 'shop' })).toBeUndefined();
  });

  it('restores only what is selected', async () => {
    await storeBackup(scene.store, shop);
    await scene.restore({ spec: { backupName: 'shop', includedResources: ['cm'] } });
    expect(await getConfigMap('shop')).toBeDefined();
    const secrets = { group: '', version: 'v1', resource: 'secrets' };
    expect(await scene.cluster.get({ ...secrets, namespace: 'shop', name: 'key' })).toBeUndefined();
  });

  it('restores the objects of a definition that it has just restored', async () => {
    const definition = archivedObject(
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      { name: 'gizmos.example.com', namespace: undefined },
      {
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          ],
        },
      },
    );
    const gizmo = archivedObject('example.com/v1', 'Gizmo', { name: 'g' }, { spec: { size: 3 } });
    await storeBackup(scene.store, {
      name: 'gizmos',
      objects: [
        ['gizmos', gizmo],
        ['customresourcedefinitions', definition],
      ],
    });
    const { issues } = await scene.restore({ spec: { backupName: 'gizmos' } });
    expect(issues).toEqual([]);
    const gizmos = { group: 'example.com', version: 'v1', resource: 'gizmos' };
    expect(await scene.cluster.get({ ...gizmos, namespace: 'shop', name: 'g' })).toMatchObject({
      spec: { size: 3 },
    });
  });

  it('restores the priority class of a pod though only its namespace is selected', async () => {
    const priorityClass = archivedObject(
      'scheduling.k8s.io/v1',
      'PriorityClass',
      { name: 'high', namespace: undefined },
      { value: 1000 },
    );
    const pod = archivedObject(
      'v1',
      'Pod',
      { name: 'web' },
      {
        spec: {
          priorityClassName: 'high',
          priority: 1000,
          containers: [{ name: 'c', image: 'busybox' }],
        },
      },
    );
    await storeBackup(scene.store, {
      name: 'pods',
      objects: [
        ['pods', pod],
        ['priorityclasses', priorityClass],
      ],
    });
    const spec = { backupName: 'pods', includedNamespaces: ['shop'] };
    const { issues } = await scene.restore({ spec });
    expect(issues).toEqual([]);
    expect(await scene.cluster.get({ ...Resources.priorityClasses, name: 'high' })).toBeDefined();
  });

  it('runs the actions of the application, which may change, skip, warn and fail', async () => {
    const names = ['changed', 'failed', 'skipped', 'warned'];
    await storeBackup(scene.store, {
      name: 'many',
      objects: names.map((name) => ['configmaps', archivedObject('v1', 'ConfigMap', { name })]),
    });
    const action: RestoreItemAction = {
      name: 'example.com/test',
      appliesTo: { resources: ['configmaps'] },
      async execute({ item, targetNamespace }) {
        switch (item.metadata.name) {
          case 'changed':
            return { item: { ...item, data: { into: targetNamespace ?? '' } } };
          case 'skipped':
            return { skip: 'not wanted' };
          case 'warned':
            return { issues: [{ severity: 'warning', reason: 'Odd', message: 'look' }] };
          default:
            throw new Error('no idea');
        }
      },
    };
    const { issues, restore: done } = await scene.restore(
      { spec: { backupName: 'many', namespaceMapping: { shop: 'copy' } } },
      { actions: [action] },
    );
    expect(await getConfigMap('copy', 'changed')).toMatchObject({ data: { into: 'copy' } });
    expect(await getConfigMap('copy', 'skipped')).toBeUndefined();
    expect(await getConfigMap('copy', 'failed')).toBeUndefined();
    expect(await getConfigMap('copy', 'warned')).toBeDefined();
    expect(issues.map(({ severity, message }) => `${severity}: ${message}`).sort()).toEqual([
      'error: no idea',
      'warning: look',
    ]);
    expect(done.status.phase).toBe('PartiallyFailed');
  });
});

describe('what exists already', () => {
  beforeEach(async () => {
    await storeBackup(scene.store, shop);
    await scene.restore({ name: 'first', spec: { backupName: 'shop' } });
  });

  it('is skipped without a word when it is the same', async () => {
    const events: RestoreEvent[] = [];
    const { issues } = await scene.restore(
      { name: 'second', spec: { backupName: 'shop' } },
      { onEvent: (event) => events.push(event) },
    );
    expect(issues).toEqual([]);
    expect(events).toContainEqual({
      type: 'item',
      object: { groupResource: 'configmaps', namespace: 'shop', name: 'settings' },
      action: 'skipped',
      reason: 'it exists and is the same',
    });
  });

  it('is left as it is, with a warning, when it differs', async () => {
    await scene.cluster.patch(
      { ...Resources.configMaps, namespace: 'shop', name: 'settings' },
      { type: 'merge', patch: { data: { a: 'changed' } } },
    );
    const { issues, restore: done } = await scene.restore({
      name: 'second',
      spec: { backupName: 'shop' },
    });
    expect(issues).toEqual([
      {
        severity: 'warning',
        reason: 'ExistsAndDiffers',
        message: 'it exists and differs; it is left as it is',
        object: { groupResource: 'configmaps', namespace: 'shop', name: 'settings' },
      },
    ]);
    expect(done.status).toMatchObject({ phase: 'Completed', warnings: 1 });
    expect(await getConfigMap('shop')).toMatchObject({ data: { a: 'changed' } });
  });

  it('does not let a second restore overwrite the results of one of its name', async () => {
    const again = scene.restore({ name: 'first', spec: { backupName: 'shop' } });
    await expect(again).rejects.toSatisfy((error) => isLifeboatError(error, 'AlreadyExists'));
  });
});

describe('what a restore tells', () => {
  it('reports phases, items and rising progress, and survives a listener that throws', async () => {
    await storeBackup(scene.store, shop);
    const events: RestoreEvent[] = [];
    await scene.restore(
      { spec: { backupName: 'shop' } },
      {
        onEvent: (event) => {
          events.push(event);
          throw new Error('listener');
        },
      },
    );
    expect(events.flatMap((event) => (event.type === 'phase' ? event.phase : []))).toEqual([
      'Reading',
      'Restoring',
      'WaitingForClaims',
      'Finalizing',
    ]);
    const progress = events.flatMap((event) => (event.type === 'progress' ? [event] : []));
    expect(progress.map(({ done }) => done)).toEqual([1, 2, 3]);
    expect(progress.at(-1)?.total).toBe(3);
  });

  it('stores its results where Velero stores them', async () => {
    await storeBackup(scene.store, shop);
    await scene.restore({ name: 'again', spec: { backupName: 'shop' } });
    expect(await storedJson(restoreKey('again', 'resourceList'))).toEqual({
      'v1/ConfigMap': ['shop/settings(created)'],
      'v1/Namespace': ['shop(created)'],
      'v1/Secret': ['shop/key(created)'],
    });
    expect(await storedJson(restoreKey('again', 'results'))).toEqual({ errors: {}, warnings: {} });
    expect(await storedJson(restoreKey('again', 'volumeInfo'))).toEqual([]);
    expect(await storedJson(restoreKey('again', 'itemOperations'))).toEqual([]);
  });
});
