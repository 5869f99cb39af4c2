import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { claim, deployments, ObjectChangesScene, storageClass } from './object-changes-fixture.ts';
import type { RestoreOptions } from './request.ts';
import { archivedObject } from './stored-backup-fixture.ts';

let scene: ObjectChangesScene;

beforeEach(async () => {
  scene = await ObjectChangesScene.open();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

function pluginConfig(name: string, action: string, data: JsonObject): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'velero',
      labels: { 'velero.io/plugin-config': '', [action]: 'RestoreItemAction' },
    },
    data,
  };
}

describe('mappings', () => {
  it('change classes, images and nodes', async () => {
    const { issues } = await scene.restore({
      storageClassMapping: { old: 'new' },
      imageMapping: { 'docker.io/': 'mirror.example.com/' },
      nodeMapping: { n1: 'm1' },
    });
    expect(issues).toEqual([]);
    const restored = await scene.cluster.get({
      ...Resources.persistentVolumeClaims,
      namespace: 'shop',
      name: 'data',
    });
    expect(restored).toMatchObject({ spec: { storageClassName: 'new' } });
    expect(await scene.deployment()).toMatchObject({
      spec: {
        template: {
          spec: {
            nodeSelector: { 'kubernetes.io/hostname': 'm1' },
            containers: [{ image: 'mirror.example.com/web:1' }],
          },
        },
      },
    });
  });

  it('refuse a class that the target lacks, and take one that is restored too', async () => {
    const mapping = { old: 'fresh', other: 'new' };
    expect(await scene.faultsOf(scene.restore({ storageClassMapping: mapping }))).toEqual([
      expect.stringMatching(/^options\.storageClassMapping\["old"\] must map to a StorageClass/),
    ]);
    await scene.storeBackup([
      ['persistentvolumeclaims', claim],
      ['storageclasses', storageClass('fresh')],
    ]);
    const { issues } = await scene.restore({ storageClassMapping: mapping });
    expect(issues).toEqual([]);
  });

  it('name every fault', async () => {
    const faulty: RestoreOptions = {
      storageClassMapping: { old: '' },
      nodeMapping: { n1: 'A B' },
      imageMapping: { '': 'x', y: '' },
      resourceModifiers: {
        version: 'v1',
        resourceModifierRules: [{ conditions: { groupResource: '' } }],
      },
    };
    expect(
      (await scene.faultsOf(scene.restore(faulty))).map((fault) => fault.split(' ')[0]),
    ).toEqual([
      'options.resourceModifiers.resourceModifierRules[0].conditions.groupResource',
      'options.storageClassMapping["old"]',
      'options.nodeMapping["n1"]',
      'options.imageMapping[""]',
      'options.imageMapping["y"]',
    ]);
  });

  it("come from Velero's ConfigMaps when they are asked for, and from the options first", async () => {
    scene.cluster.seed([
      pluginConfig('classes', 'velero.io/change-storage-class', { old: 'new' }),
      pluginConfig('images', 'velero.io/change-image-name', {
        any: 'docker.io/, mirror.example.com/',
        tag: ':1,:2',
      }),
    ]);
    await scene.restore({}, { includedResources: ['deployments'] });
    expect(await scene.deployment()).toMatchObject({
      spec: { template: { spec: { containers: [{ image: 'docker.io/web:1' }] } } },
    });
    await scene.cluster.delete({ ...deployments, namespace: 'shop', name: 'web' });
    const imageMapping = { 'docker.io/': 'own.example.com/' };
    await scene.restore({ veleroPluginConfig: true, imageMapping }, {}, 'second');
    expect(await scene.deployment()).toMatchObject({
      spec: { template: { spec: { containers: [{ image: 'own.example.com/web:1' }] } } },
    });
    const restored = await scene.cluster.get({
      ...Resources.persistentVolumeClaims,
      namespace: 'shop',
      name: 'data',
    });
    expect(restored).toMatchObject({ spec: { storageClassName: 'new' } });
  });

  it('refuse two ConfigMaps for one action, and rows that are no pair', async () => {
    scene.cluster.seed([
      pluginConfig('one', 'velero.io/change-storage-class', {}),
      pluginConfig('two', 'velero.io/change-storage-class', {}),
      pluginConfig('images', 'velero.io/change-image-name', { a: 'x', b: ',y', c: 'z,' }),
    ]);
    const faults = await scene.faultsOf(scene.restore({ veleroPluginConfig: true }));
    expect(faults).toHaveLength(4);
    expect(faults[0]).toContain('finds one and two');
    expect(faults[1]).toContain('configmaps velero/images.data["a"] must be a part');
  });
});

describe('resource modifiers', () => {
  it('of the options change objects, and errors of theirs keep nothing from being restored', async () => {
    const { issues, restore: finished } = await scene.restore(
      {
        resourceModifiers: {
          version: 'v1',
          resourceModifierRules: [
            {
              conditions: { groupResource: 'deployments.apps', namespaces: ['shop'] },
              patches: [{ operation: 'replace', path: '/spec/replicas', value: '1' }],
            },
            {
              conditions: { groupResource: 'configmaps' },
              patches: [{ operation: 'remove', path: '/data/none' }],
            },
          ],
        },
      },
      { namespaceMapping: { shop: 'copy' } },
    );
    expect(await scene.deployment('web', 'copy')).toMatchObject({ spec: { replicas: 1 } });
    expect(issues).toEqual([
      expect.objectContaining({
        severity: 'error',
        reason: 'ModifierFailed',
        object: { groupResource: 'configmaps', namespace: 'copy', name: 'settings' },
      }),
    ]);
    expect(finished.status.phase).toBe('PartiallyFailed');
    expect(
      await scene.cluster.get({ ...Resources.configMaps, namespace: 'copy', name: 'settings' }),
    ).toBeDefined();
  });

  it('of a ConfigMap change objects', async () => {
    scene.cluster.seed([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'mods', namespace: 'velero' },
        data: {
          'm.yaml':
            'version: v1\nresourceModifierRules:\n- conditions: {groupResource: deployments.apps}\n  strategicPatches: [{patchData: "{spec: {template: {spec: {containers: [{name: c, env: [{name: X}]}]}}}}"}]\n',
        },
      },
    ]);
    const { issues } = await scene.restore(
      {},
      { resourceModifier: { kind: 'configmap', name: 'mods' } },
    );
    expect(issues).toEqual([]);
    expect(await scene.deployment()).toMatchObject({
      spec: {
        template: { spec: { containers: [{ image: 'docker.io/web:1', env: [{ name: 'X' }] }] } },
      },
    });
  });
});

it('lets an action of the application take the place of a built-in one', async () => {
  const done = archivedObject(
    'batch/v1',
    'Job',
    { name: 'done' },
    {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'i' }] } } },
      status: { completionTime: '2026-01-01T00:00:00Z' },
    },
  );
  await scene.storeBackup([['jobs', done]]);
  const there = {
    group: 'batch',
    version: 'v1',
    resource: 'jobs',
    namespace: 'shop',
    name: 'done',
  };
  const runsAgain: RestoreItemAction = {
    name: 'velero.io/job',
    appliesTo: { resources: ['jobs.batch'] },
    execute: () => Promise.resolve({}),
  };
  const { issues } = await scene.restore({ actions: [runsAgain] });
  expect(issues).toEqual([]);
  expect(await scene.cluster.get(there)).toBeDefined();
});
