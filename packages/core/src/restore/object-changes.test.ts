import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ValidationError } from '../errors.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import { type JsonObject, parseJson } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { objectsAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreOptions, RestoreRequest, RestoreResult } from './request.ts';
import { runRestore } from './run-restore.ts';
import { archivedObject, storeBackup } from './stored-backup-fixture.ts';

const deployments = { group: 'apps', version: 'v1', resource: 'deployments' };

const namespace = archivedObject('v1', 'Namespace', { name: 'shop', namespace: undefined });
const settings = archivedObject('v1', 'ConfigMap', { name: 'settings' }, { data: { a: 'b' } });
const web = archivedObject(
  'apps/v1',
  'Deployment',
  { name: 'web' },
  {
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': 'n1' },
          containers: [{ name: 'c', image: 'docker.io/web:1' }],
        },
      },
    },
  },
);
const claim = archivedObject(
  'v1',
  'PersistentVolumeClaim',
  { name: 'data' },
  {
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'old',
      resources: { requests: { storage: '1Gi' } },
    },
  },
);

let cluster: FakeCluster;
let store: MemoryObjectStore;

beforeEach(async () => {
  cluster = new FakeCluster();
  store = new MemoryObjectStore();
  await storeBackup(store, {
    name: 'b',
    objects: [
      ['namespaces', namespace],
      ['configmaps', settings],
      ['deployments', web],
      ['persistentvolumeclaims', claim],
    ],
  });
  cluster.seed([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'velero' } },
    storageClass('new'),
  ]);
});

afterEach(async () => {
  await cluster.close();
  await store.close();
});

function storageClass(name: string): KubernetesObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'example.com/none',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
}

function restore(
  options: RestoreOptions & { actions?: readonly RestoreItemAction[] } = {},
  spec: Partial<RestoreRequest['spec']> = {},
): Promise<RestoreResult> {
  const { actions = [], ...rest } = options;
  return runRestore(
    { cluster, store, clock: systemClock, logger: silentLogger, actions, concurrency: 4 },
    { name: 'r', spec: { backupName: 'b', ...spec } },
    rest,
  );
}

function restoredDeployment(name = 'web', ns = 'shop'): Promise<KubernetesObject | undefined> {
  return cluster.get({ ...deployments, namespace: ns, name });
}

async function faultsOf(running: Promise<RestoreResult>): Promise<readonly string[]> {
  const error: unknown = await running.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ValidationError);
  expect(await cluster.get({ ...Resources.namespaces, name: 'shop' })).toBeUndefined();
  return error instanceof ValidationError
    ? error.violations.map(({ path, rule }) => `${path} ${rule}`)
    : [];
}

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
    const { issues } = await restore({
      storageClassMapping: { old: 'new' },
      imageMapping: { 'docker.io/': 'mirror.example.com/' },
      nodeMapping: { n1: 'm1' },
    });
    expect(issues).toEqual([]);
    const restored = await cluster.get({
      ...Resources.persistentVolumeClaims,
      namespace: 'shop',
      name: 'data',
    });
    expect(restored).toMatchObject({ spec: { storageClassName: 'new' } });
    expect(await restoredDeployment()).toMatchObject({
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
    expect(await faultsOf(restore({ storageClassMapping: mapping }))).toEqual([
      expect.stringMatching(/^options\.storageClassMapping\["old"\] must map to a StorageClass/),
    ]);
    await storeBackup(store, {
      name: 'b',
      objects: [
        ['persistentvolumeclaims', claim],
        ['storageclasses', storageClass('fresh')],
      ],
    });
    const { issues } = await restore({ storageClassMapping: mapping });
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
    expect((await faultsOf(restore(faulty))).map((fault) => fault.split(' ')[0])).toEqual([
      'options.resourceModifiers.resourceModifierRules[0].conditions.groupResource',
      'options.storageClassMapping["old"]',
      'options.nodeMapping["n1"]',
      'options.imageMapping[""]',
      'options.imageMapping["y"]',
    ]);
  });

  it("come from Velero's ConfigMaps when they are asked for, and from the options first", async () => {
    cluster.seed([
      pluginConfig('classes', 'velero.io/change-storage-class', { old: 'new' }),
      pluginConfig('images', 'velero.io/change-image-name', {
        any: 'docker.io/, mirror.example.com/',
        tag: ':1,:2',
      }),
    ]);
    await restore({}, { includedResources: ['deployments'] });
    expect(await restoredDeployment()).toMatchObject({
      spec: { template: { spec: { containers: [{ image: 'docker.io/web:1' }] } } },
    });
    await cluster.delete({ ...deployments, namespace: 'shop', name: 'web' });
    await runRestore(
      { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
      { name: 'second', spec: { backupName: 'b' } },
      { veleroPluginConfig: true, imageMapping: { 'docker.io/': 'own.example.com/' } },
    );
    expect(await restoredDeployment()).toMatchObject({
      spec: { template: { spec: { containers: [{ image: 'own.example.com/web:1' }] } } },
    });
    const restored = await cluster.get({
      ...Resources.persistentVolumeClaims,
      namespace: 'shop',
      name: 'data',
    });
    expect(restored).toMatchObject({ spec: { storageClassName: 'new' } });
  });

  it('refuse two ConfigMaps for one action, and rows that are no pair', async () => {
    cluster.seed([
      pluginConfig('one', 'velero.io/change-storage-class', {}),
      pluginConfig('two', 'velero.io/change-storage-class', {}),
      pluginConfig('images', 'velero.io/change-image-name', { a: 'x', b: ',y', c: 'z,' }),
    ]);
    const faults = await faultsOf(restore({ veleroPluginConfig: true }));
    expect(faults).toHaveLength(4);
    expect(faults[0]).toContain('finds one and two');
    expect(faults[1]).toContain('configmaps velero/images.data["a"] must be a part');
  });
});

describe('resource modifiers', () => {
  it('of the options change objects, and errors of theirs keep nothing from being restored', async () => {
    const { issues, restore: finished } = await restore(
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
    expect(await restoredDeployment('web', 'copy')).toMatchObject({ spec: { replicas: 1 } });
    expect(issues).toEqual([
      expect.objectContaining({
        severity: 'error',
        reason: 'ModifierFailed',
        object: { groupResource: 'configmaps', namespace: 'copy', name: 'settings' },
      }),
    ]);
    expect(finished.status.phase).toBe('PartiallyFailed');
    expect(
      await cluster.get({ ...Resources.configMaps, namespace: 'copy', name: 'settings' }),
    ).toBeDefined();
  });

  it('of a ConfigMap change objects', async () => {
    cluster.seed([
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
    const { issues } = await restore({}, { resourceModifier: { kind: 'configmap', name: 'mods' } });
    expect(issues).toEqual([]);
    expect(await restoredDeployment()).toMatchObject({
      spec: {
        template: { spec: { containers: [{ image: 'docker.io/web:1', env: [{ name: 'X' }] }] } },
      },
    });
  });
});

describe('transforms', () => {
  it('change objects one after another, names too, after mappings and modifiers', async () => {
    const seen: unknown[] = [];
    const { issues } = await restore(
      {
        imageMapping: { 'docker.io/': 'mirror.example.com/' },
        transforms: [
          (object, context) => {
            const { signal, restore: by, backup: from, itemFromBackup, ...rest } = context;
            if (object.kind === 'Deployment') {
              seen.push({
                ...rest,
                by: by.metadata.name,
                from: from.metadata.name,
                aborted: signal.aborted,
              });
              expect(JSON.stringify(object)).toContain('mirror.example.com');
              expect(itemFromBackup).toEqual(web);
            }
            return object;
          },
          async (object) =>
            object.kind === 'Deployment'
              ? {
                  ...object,
                  metadata: { ...object.metadata, name: `${object.metadata.name ?? ''}-2` },
                }
              : object,
          (object) => (object.kind === 'ConfigMap' ? { skip: 'not this one' } : object),
        ],
      },
      { namespaceMapping: { shop: 'copy' } },
    );
    expect(issues).toEqual([]);
    expect(seen).toEqual([
      {
        groupResource: 'deployments.apps',
        originalNamespace: 'shop',
        originalName: 'web',
        targetNamespace: 'copy',
        by: 'r',
        from: 'b',
        aborted: false,
      },
    ]);
    expect(await restoredDeployment('web-2', 'copy')).toBeDefined();
    expect(await restoredDeployment('web', 'copy')).toBeUndefined();
    const settingsThere = { ...Resources.configMaps, namespace: 'copy', name: 'settings' };
    expect(await cluster.get(settingsThere)).toBeUndefined();
  });

  it('get a copy, with every digit', async () => {
    const big = parseJson('9007199254740993');
    const precise = archivedObject(
      'apps/v1',
      'Deployment',
      { name: 'web' },
      { spec: { ...(web['spec'] as JsonObject), big } },
    );
    await storeBackup(store, { name: 'b', objects: [['deployments', precise]] });
    const written: string[] = [];
    await restore({
      transforms: [
        (object) => {
          const spec = object['spec'] as { replicas: number };
          spec.replicas = 9;
          return object;
        },
        (object, { itemFromBackup }) => {
          written.push(JSON.stringify(object['spec']), JSON.stringify(itemFromBackup['spec']));
          return { skip: 'enough is seen' };
        },
      ],
    });
    expect(written[0]).toContain('"replicas":9');
    expect(written[0]).toContain('"big":9007199254740993');
    expect(written[1]).toContain('"replicas":3');
  });

  it.each<[string, NonNullable<RestoreOptions['transforms']>[number], string]>([
    [
      'throws',
      () => {
        throw new Error('no such luck');
      },
      'no such luck',
    ],
    ['changes the kind', (object) => ({ ...object, kind: 'Secret' }), 'changed kind'],
    [
      'changes the namespace',
      (object) => ({ ...object, metadata: { ...object.metadata, namespace: 'x' } }),
      'changed the namespace',
    ],
    ['takes the name away', (object) => ({ ...object, metadata: {} }), 'without a name'],
    ['returns nothing', () => undefined as never, 'left no object'],
  ])('that one %s fails its object alone', async (_what, transform, message) => {
    const { issues } = await restore({
      transforms: [
        function broken(object, context) {
          return object.kind === 'ConfigMap' ? transform(object, context) : object;
        },
      ],
    });
    expect(issues).toEqual([
      expect.objectContaining({
        severity: 'error',
        reason: 'TransformFailed',
        message: expect.stringContaining(message) as string,
        object: { groupResource: 'configmaps', namespace: 'shop', name: 'settings' },
      }),
    ]);
    expect(issues[0]?.message).toContain('transforms[0] (broken) failed');
    expect(await restoredDeployment()).toBeDefined();
  });

  it('must be functions', async () => {
    expect(await faultsOf(restore({ transforms: ['x' as never] }))).toEqual([
      'options.transforms[0] must be a function',
    ]);
  });
});

describe('beside the original', () => {
  const service: KubernetesObject = archivedObject(
    'v1',
    'Service',
    {
      name: 'np',
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration':
          '{"spec":{"ports":[{"name":"a","nodePort":30080},{"name":"b","nodePort":30081}]}}',
      },
    },
    {
      spec: {
        type: 'NodePort',
        selector: { app: 'web' },
        ports: [
          { name: 'a', port: 80, protocol: 'TCP', nodePort: 30080 },
          { name: 'b', port: 81, protocol: 'TCP', nodePort: 30081 },
        ],
      },
    },
  );
  const volume = archivedObject(
    'v1',
    'PersistentVolume',
    { name: 'static', namespace: undefined },
    {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: '',
        nfs: { server: 's', path: '/shop' },
        claimRef: { namespace: 'shop', name: 'data' },
      },
    },
  );
  const bound = archivedObject(
    'v1',
    'PersistentVolumeClaim',
    { name: 'data' },
    { spec: { ...(claim['spec'] as JsonObject), storageClassName: '', volumeName: 'static' } },
  );
  const copy = { namespaceMapping: { shop: 'copy' } };
  const copied = { group: '', version: 'v1', resource: 'services', namespace: 'copy', name: 'np' };

  it('a Service leaves the node ports that the original has', async () => {
    await storeBackup(store, { name: 'b', objects: [['services', service]] });
    cluster.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      {
        ...service,
        spec: {
          ...(service['spec'] as JsonObject),
          ports: [{ name: 'a', port: 80, nodePort: 30080 }],
        },
      },
    ]);
    const { issues } = await restore({}, copy);
    expect(issues).toEqual([
      expect.objectContaining({
        severity: 'warning',
        reason: 'NodePortTaken',
        object: { groupResource: 'services', namespace: 'copy', name: 'np' },
      }),
    ]);
    expect(issues[0]?.message).toContain('node port 30080 belongs to Service shop/np');
    const ports = objectsAt((await cluster.get(copied)) ?? {}, ['spec', 'ports']);
    expect(ports.map(({ nodePort }) => nodePort)).toEqual([expect.not.toBeOneOf([30080]), 30081]);
  });

  it('a Service has the node ports of the backup when modifiers and transforms see it', async () => {
    await storeBackup(store, { name: 'b', objects: [['services', service]] });
    cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, service]);
    const { issues } = await restore(
      {
        resourceModifiers: {
          version: 'v1',
          resourceModifierRules: [
            {
              conditions: { groupResource: 'services' },
              patches: [{ operation: 'remove', path: '/spec/ports/0/nodePort' }],
            },
          ],
        },
      },
      copy,
    );
    expect(issues.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      'NodePortTaken: node port 30081 belongs to Service shop/np of the target cluster, so another one is chosen',
    ]);
  });

  it('a Service keeps the node ports that are free', async () => {
    await storeBackup(store, { name: 'b', objects: [['services', service]] });
    const { issues } = await restore({}, copy);
    expect(issues).toEqual([]);
    expect(
      objectsAt((await cluster.get(copied)) ?? {}, ['spec', 'ports']).map(
        ({ nodePort }) => nodePort,
      ),
    ).toEqual([30080, 30081]);
  });

  it('a Service is restored by who may not read the original', async () => {
    await storeBackup(store, { name: 'b', objects: [['services', service]] });
    const hidden = { operation: 'get', resource: 'services', namespace: 'shop' } as const;
    cluster.faults.inject({ ...hidden, error: 'Forbidden' });
    expect((await restore({}, copy)).issues).toEqual([]);
    cluster.faults.clear();
    cluster.faults.inject({ ...hidden, error: 'Unavailable' });
    await cluster.delete(copied);
    const { issues } = await runRestore(
      { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
      { name: 'again', spec: { backupName: 'b', ...copy } },
    );
    expect(issues).toEqual([expect.objectContaining({ severity: 'error', reason: 'Unavailable' })]);
  });

  it('a claim does not take the volume of the original, unless volume and claim are given a name for it', async () => {
    await storeBackup(store, {
      name: 'b',
      objects: [
        ['persistentvolumes', volume],
        ['persistentvolumeclaims', bound],
      ],
    });
    cluster.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      {
        ...volume,
        spec: {
          ...(volume['spec'] as JsonObject),
          claimRef: { namespace: 'shop', name: 'data', uid: 'u' },
        },
      },
    ]);
    const refused = await restore({}, copy);
    expect(refused.issues).toContainEqual(
      expect.objectContaining({ severity: 'error', reason: 'VolumeInUse' }),
    );
    const renamed = await runRestore(
      { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
      { name: 'renamed', spec: { backupName: 'b', ...copy } },
      {
        transforms: [
          (object) =>
            object.kind === 'PersistentVolume'
              ? { ...object, metadata: { ...object.metadata, name: 'static-copy' } }
              : object,
          (object) =>
            object.kind === 'PersistentVolumeClaim'
              ? {
                  ...object,
                  spec: { ...(object['spec'] as JsonObject), volumeName: 'static-copy' },
                }
              : object,
        ],
      },
    );
    expect(renamed.issues).toEqual([]);
    expect(
      await cluster.get({ ...Resources.persistentVolumes, name: 'static-copy' }),
    ).toMatchObject({
      spec: { claimRef: { namespace: 'copy', name: 'data' } },
    });
    const own = { ...Resources.persistentVolumeClaims, namespace: 'copy', name: 'data' };
    expect(await cluster.get(own)).toMatchObject({ spec: { volumeName: 'static-copy' } });
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
  await storeBackup(store, { name: 'b', objects: [['jobs', done]] });
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
  const { issues } = await restore({ actions: [runsAgain] });
  expect(issues).toEqual([]);
  expect(await cluster.get(there)).toBeDefined();
});
