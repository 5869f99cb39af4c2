import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLifeboatError } from '../errors.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { PlannedRestoreItem, RestorePlan } from '../model/restore-plan.ts';
import { archivedObject, storeBackup } from '../restore/stored-backup-fixture.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
const readOperations: ReadonlySet<string> = new Set([
  'version',
  'discover',
  'get',
  'list',
  'watch',
]);

const namespace = archivedObject('v1', 'Namespace', { name: 'shop', namespace: undefined });
const settings = archivedObject('v1', 'ConfigMap', { name: 'settings' }, { data: { a: 'b' } });
const secret = archivedObject(
  'v1',
  'Secret',
  { name: 'key' },
  { type: 'Opaque', data: { password: 'c2VjcmV0' } },
);
const gizmos = archivedObject(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  { name: 'gizmos.example.com', namespace: undefined },
  {
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo', listKind: 'GizmoList' },
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
const gizmo = archivedObject('example.com/v1', 'Gizmo', { name: 'one' }, { spec: { size: 1 } });

let cluster: FakeCluster;
let store: MemoryObjectStore;
let engine: Engine;

beforeEach(() => {
  cluster = new FakeCluster();
  store = new MemoryObjectStore();
  engine = createEngine({ cluster, store });
});

afterEach(async () => {
  await cluster.close();
  await store.close();
});

type Stored = readonly (readonly [resource: string, object: KubernetesObject])[];

const shop: Stored = [
  ['customresourcedefinitions', gizmos],
  ['namespaces', namespace],
  ['configmaps', settings],
  ['secrets', secret],
  ['gizmos', gizmo],
];

async function storeShop(objects: Stored): Promise<void> {
  await storeBackup(store, { name: 'shop', objects });
}

/** A claim whose StorageClass does not matter, and what a backup holds of its snapshot. */
function claimWithSnapshot(driver: string, volumeSnapshotClassName: string): Stored {
  const label = { 'velero.io/volume-snapshot-name': 'vs' };
  return [
    [
      'persistentvolumeclaims',
      archivedObject(
        'v1',
        'PersistentVolumeClaim',
        { name: 'data', labels: label, annotations: label },
        {
          spec: {
            volumeName: 'pv-data',
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
          },
          status: { phase: 'Bound' },
        },
      ),
    ],
    [
      'volumesnapshots',
      archivedObject(
        'snapshot.storage.k8s.io/v1',
        'VolumeSnapshot',
        { name: 'vs' },
        {
          spec: { source: { persistentVolumeClaimName: 'data' }, volumeSnapshotClassName },
          status: { boundVolumeSnapshotContentName: 'content' },
        },
      ),
    ],
    [
      'volumesnapshotcontents',
      archivedObject(
        'snapshot.storage.k8s.io/v1',
        'VolumeSnapshotContent',
        { name: 'content', namespace: undefined },
        { spec: { driver, deletionPolicy: 'Retain' }, status: { snapshotHandle: 'h' } },
      ),
    ],
  ];
}

function seedConfigMap(data: JsonObject, metadata: JsonObject = {}): void {
  cluster.seed([
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'shop', ...metadata },
      data,
    },
  ]);
}

function itemOf({ items }: RestorePlan, groupResource: string): PlannedRestoreItem | undefined {
  return items.find(({ source }) => source.groupResource === groupResource);
}

function storedAndRead(plan: RestorePlan): RestorePlan {
  return JSON.parse(JSON.stringify(plan)) as RestorePlan;
}

function containing(text: string): unknown {
  return expect.stringContaining(text);
}

function writes(): readonly string[] {
  return cluster.requests
    .filter(({ operation }) => !readOperations.has(operation))
    .map(({ operation, resource, name }) => `${operation} ${resource} ${name ?? ''}`);
}

async function liveConfigMap(): Promise<KubernetesObject | undefined> {
  return cluster.get({ ...configMaps, namespace: 'shop', name: 'settings' });
}

describe('a plan of a restore', () => {
  it('writes nothing, survives JSON, and says what the restore then does', async () => {
    await storeShop(shop);
    const keys = [];
    for await (const { key } of store.list('')) {
      keys.push(key);
    }
    const plan = await engine.planRestore({ name: 'again', spec: { backupName: 'shop' } });
    expect(writes()).toEqual([]);
    for await (const { key } of store.list('')) {
      expect(keys).toContain(key);
    }
    expect(storedAndRead(plan)).toEqual(plan);
    expect(plan).toMatchObject({
      kind: 'RestorePlan',
      restore: { metadata: { name: 'again' }, spec: { backupName: 'shop' } },
      backup: { name: 'shop' },
      counts: { create: 5, update: 0, recreate: 0, skip: 0, conflict: 0, blocked: 0 },
      missing: [],
      phase: 'Completed',
      issues: [],
    });
    const { restore, issues, items } = await engine.restore(storedAndRead(plan));
    expect(issues).toEqual([]);
    expect(items.map(({ object, action }) => ({ object, action }))).toEqual(
      expect.arrayContaining(
        plan.items.map(({ target }) => ({ object: target, action: 'created' })),
      ),
    );
    expect(items).toHaveLength(plan.items.length);
    expect(restore.metadata).toEqual(plan.restore.metadata);
    expect(new Set(writes())).toEqual(
      new Set(plan.items.map(({ target }) => `create ${target.groupResource} ${target.name}`)),
    );
  });

  it('has the objects in the order of the waves, what would be made counting as there', async () => {
    await storeShop(shop);
    const { items, waves } = await engine.planRestore({ spec: { backupName: 'shop' } });
    expect(items.map(({ target }) => target.groupResource)).toEqual([
      'customresourcedefinitions.apiextensions.k8s.io',
      'namespaces',
      'configmaps',
      'secrets',
      'gizmos.example.com',
    ]);
    expect(waves.map(({ name }) => name)).toEqual([
      'definitions',
      'namespaces',
      'configuration',
      'everything else',
    ]);
  });

  it('says what each step changes, and where an object goes', async () => {
    await storeShop([
      ['namespaces', namespace],
      [
        'services',
        archivedObject(
          'v1',
          'Service',
          { name: 'web' },
          { spec: { clusterIP: '10.0.0.1', ports: [{ port: 80 }] } },
        ),
      ],
    ]);
    const spec = { backupName: 'shop', namespaceMapping: { shop: 'copy' } };
    const plan = await engine.planRestore({ spec });
    expect(itemOf(plan, 'services')).toMatchObject({
      source: { groupResource: 'services', namespace: 'shop', name: 'web' },
      target: { groupResource: 'services', namespace: 'copy', name: 'web' },
      action: 'create',
      transforms: [
        { step: 'velero.io/service', patch: [{ op: 'remove', path: '/spec/clusterIP' }] },
      ],
    });
  });

  it('shows how an object that exists differs, without the values of Secrets', async () => {
    await storeShop(shop);
    seedConfigMap({ a: 'changed', more: 'x' });
    cluster.seed([
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'key', namespace: 'shop' },
        type: 'Opaque',
        data: { password: 'b3RoZXI=' },
      },
    ]);
    const plan = await engine.planRestore({
      spec: { backupName: 'shop', existingResourcePolicy: 'update' },
    });
    expect(itemOf(plan, 'configmaps')).toMatchObject({ action: 'update' });
    expect(itemOf(plan, 'configmaps')?.diff).toEqual(
      expect.arrayContaining([
        { op: 'replace', path: '/data/a', value: 'b' },
        { op: 'remove', path: '/data/more' },
      ]),
    );
    expect(itemOf(plan, 'secrets')?.diff).toContainEqual({
      op: 'replace',
      path: '/data/password',
      value: '(left out)',
    });
    expect(JSON.stringify(plan)).not.toContain('c2VjcmV0');
  });

  it('names what the target lacks, and what needs it', async () => {
    const claim = (name: string, storageClassName: string): KubernetesObject =>
      archivedObject(
        'v1',
        'PersistentVolumeClaim',
        { name },
        {
          spec: {
            storageClassName,
            volumeName: `pv-${name}`,
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
          },
        },
      );
    const volume = (name: string): KubernetesObject =>
      archivedObject(
        'v1',
        'PersistentVolume',
        { name: `pv-${name}`, namespace: undefined },
        {
          spec: { persistentVolumeReclaimPolicy: 'Delete', claimRef: { namespace: 'shop', name } },
        },
      );
    await storeShop([
      ['namespaces', namespace],
      ['gizmos', gizmo],
      [
        'poddisruptionbudgets',
        archivedObject('policy/v1beta1', 'PodDisruptionBudget', { name: 'p' }),
      ],
      ['persistentvolumeclaims', claim('data', 'gone')],
      ['persistentvolumeclaims', claim('more', 'fake-csi')],
      ['persistentvolumes', volume('data')],
      ['persistentvolumes', volume('more')],
    ]);
    const plan = await engine.planRestore({ spec: { backupName: 'shop' } });
    const shopObject = (groupResource: string, name: string): JsonObject => ({
      groupResource,
      namespace: 'shop',
      name,
    });
    expect(plan.missing).toHaveLength(3);
    expect(plan.missing).toEqual(
      expect.arrayContaining([
        {
          what: 'StorageClass',
          name: 'gone',
          count: 1,
          neededBy: [shopObject('persistentvolumeclaims', 'data')],
        },
        {
          what: 'Resource',
          name: 'gizmos.example.com',
          count: 1,
          neededBy: [shopObject('gizmos.example.com', 'one')],
        },
        {
          what: 'APIVersion',
          name: 'policy/v1beta1',
          count: 1,
          neededBy: [shopObject('poddisruptionbudgets.policy', 'p')],
        },
      ]),
    );
    expect(plan.phase).toBe('PartiallyFailed');
    expect(plan.volumes).toEqual([
      expect.objectContaining({
        claimName: 'data',
        from: 'new volume',
        message: containing('gone'),
      }),
      expect.objectContaining({
        claimName: 'more',
        from: 'new volume',
        message: containing('empty'),
      }),
    ]);
  });

  it.each([
    { what: 'CSIDriver', name: 'gone.example.com', action: 'blocked' },
    { what: 'SnapshotAPI', name: 'snapshot.storage.k8s.io', action: 'blocked' },
    { what: 'VolumeSnapshotClass', name: 'nightly', action: 'create' },
  ])('names a $what that the target lacks for a snapshot', async ({ what, name, action }) => {
    await using target = new FakeCluster({ withCsi: what !== 'SnapshotAPI' });
    const driver = what === 'CSIDriver' ? name : target.csi.name;
    const volumeSnapshotClassName = what === 'VolumeSnapshotClass' ? name : 'fake-csi';
    await storeShop([
      ['namespaces', namespace],
      ...claimWithSnapshot(driver, volumeSnapshotClassName),
    ]);
    const engineOfTarget = createEngine({ cluster: target, store });
    const plan = await engineOfTarget.planRestore({ spec: { backupName: 'shop' } });
    const object = { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' };
    expect(plan.missing).toContainEqual({ what, name, count: 1, neededBy: [object] });
    expect(itemOf(plan, object.groupResource)).toMatchObject({ action });
  });

  it('counts a StorageClass of the backup as there', async () => {
    const storageClass = archivedObject(
      'storage.k8s.io/v1',
      'StorageClass',
      { name: 'gold', namespace: undefined },
      { provisioner: 'fake.csi' },
    );
    const claim = archivedObject(
      'v1',
      'PersistentVolumeClaim',
      { name: 'data' },
      {
        spec: {
          storageClassName: 'gold',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
        },
      },
    );
    await storeShop([
      ['namespaces', namespace],
      ['storageclasses', storageClass],
      ['persistentvolumeclaims', claim],
    ]);
    const plan = await engine.planRestore({ spec: { backupName: 'shop' } });
    expect(plan.missing).toEqual([]);
    expect(plan.counts).toMatchObject({ create: 3, blocked: 0 });
  });

  it('blocks what the API server refuses in a dry run, and says about what it could not be asked', async () => {
    await storeShop(shop);
    cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    cluster.faults.inject({ operation: 'create', resource: 'configmaps', error: 'Invalid' });
    const plan = await engine.planRestore({ spec: { backupName: 'shop' } }, { dryRun: 'server' });
    expect(itemOf(plan, 'configmaps')).toMatchObject({
      action: 'blocked',
      code: 'Invalid',
      isCheckedByServer: true,
    });
    expect(itemOf(plan, 'secrets')).toMatchObject({ action: 'create', isCheckedByServer: true });
    expect(itemOf(plan, 'gizmos.example.com')).toMatchObject({
      action: 'create',
      isCheckedByServer: false,
    });
    expect(
      cluster.requests.filter(({ operation, dryRun }) => operation === 'create' && dryRun !== true),
    ).toEqual([]);
    expect(
      await cluster.get({
        group: '',
        version: 'v1',
        resource: 'secrets',
        namespace: 'shop',
        name: 'key',
      }),
    ).toBeUndefined();
  });

  it('is refused as the restore would be', async () => {
    await expect(engine.planRestore({ spec: { backupName: 'none' } })).rejects.toMatchObject({
      code: 'NotFound',
    });
    await expect(engine.planRestore({ spec: { backupName: 'No Name' } })).rejects.toMatchObject({
      code: 'Validation',
    });
  });

  it('rejects with the reason of an abort', async () => {
    await storeShop(shop);
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(
      engine.planRestore({ spec: { backupName: 'shop' } }, { signal: controller.signal }),
    ).rejects.toThrow('enough');
  });
});

describe('carrying a plan out', () => {
  it('is refused, naming what has changed, when the target is not as it was', async () => {
    await storeShop(shop);
    const plan = await engine.planRestore({ spec: { backupName: 'shop' } });
    seedConfigMap({ a: 'x' });
    cluster.forgetRequests();
    const error: unknown = await engine.restore(plan).catch((reason: unknown) => reason);
    expect(isLifeboatError(error, 'TargetChanged')).toBe(true);
    expect(String(error)).toContain('configmaps shop/settings would be conflict, not create');
    expect(writes()).toEqual([]);
  });

  it('is refused when an object that it would change has changed again', async () => {
    await storeShop(shop);
    seedConfigMap({ a: 'x' });
    const spec = { backupName: 'shop', existingResourcePolicy: 'update' } as const;
    const plan = await engine.planRestore({ spec });
    seedConfigMap({ a: 'y' });
    await expect(engine.restore(plan)).rejects.toMatchObject({ code: 'TargetChanged' });
    expect(await liveConfigMap()).toMatchObject({ data: { a: 'y' } });
  });

  it('is refused when the backup has another archive', async () => {
    await storeShop(shop);
    const plan = await engine.planRestore({ spec: { backupName: 'shop' } });
    await storeShop([...shop, ['configmaps', archivedObject('v1', 'ConfigMap', { name: 'more' })]]);
    await expect(engine.restore(plan)).rejects.toMatchObject({ code: 'TargetChanged' });
  });

  it('is refused a second time, and as a request that is not valid when it is no plan', async () => {
    await storeShop(shop);
    const plan = await engine.planRestore({ spec: { backupName: 'shop' } });
    await engine.restore(plan);
    await expect(engine.restore(plan)).rejects.toMatchObject({ code: 'AlreadyExists' });
    const spec = { ...plan.restore.spec, backupName: 'No Name' };
    const broken: RestorePlan = { ...plan, restore: { ...plan.restore, spec } };
    await expect(engine.restore(broken)).rejects.toMatchObject({ code: 'Validation' });
  });

  it('leaves alone what changes while it is carried out', async () => {
    await storeShop(shop);
    const plan = await engine.planRestore({
      spec: { backupName: 'shop', existingResourcePolicy: 'update' },
    });
    const { issues } = await engine.restore(plan, {
      onEvent: (event) => {
        if (event.type === 'wave' && event.name === 'configuration') {
          seedConfigMap({ a: 'somebody else' });
        }
      },
    });
    expect(issues).toEqual([
      expect.objectContaining({ severity: 'warning', reason: 'TargetChanged' }),
    ]);
    expect(await liveConfigMap()).toMatchObject({ data: { a: 'somebody else' } });
  });

  it('adds to a ServiceAccount that came with the namespace what it lacks', async () => {
    const account = archivedObject(
      'v1',
      'ServiceAccount',
      { name: 'default' },
      { imagePullSecrets: [{ name: 'registry' }] },
    );
    await storeShop([...shop, ['serviceaccounts', account]]);
    const plan = await engine.planRestore({ spec: { backupName: 'shop' } });
    expect(itemOf(plan, 'serviceaccounts')).toMatchObject({ action: 'create' });
    const { issues } = await engine.restore(plan, {
      onEvent: (event) => {
        if (event.type === 'wave' && event.name === 'roles and accounts') {
          cluster.seed([
            {
              apiVersion: 'v1',
              kind: 'ServiceAccount',
              metadata: { name: 'default', namespace: 'shop' },
            },
          ]);
        }
      },
    });
    expect(issues).toEqual([]);
    const accounts = { group: '', version: 'v1', resource: 'serviceaccounts' };
    expect(await cluster.get({ ...accounts, namespace: 'shop', name: 'default' })).toMatchObject({
      imagePullSecrets: [{ name: 'registry' }],
    });
  });
});

describe('objects that exist', () => {
  it('are made as in the backup with policy update, and labelled', async () => {
    await storeShop(shop);
    seedConfigMap({ a: 'changed', more: 'x' }, { labels: { own: 'y' } });
    const { issues } = await engine.restore({
      name: 'again',
      spec: { backupName: 'shop', existingResourcePolicy: 'update' },
    });
    expect(issues).toEqual([]);
    const live = await liveConfigMap();
    expect(live?.['data']).toEqual({ a: 'b' });
    expect(live?.metadata.labels).toEqual({
      'velero.io/backup-name': 'shop',
      'velero.io/restore-name': 'again',
    });
  });

  it('get the labels alone, with a warning, when the update is refused', async () => {
    await storeShop(shop);
    seedConfigMap({ a: 'changed' });
    cluster.faults.inject({
      operation: 'patch',
      resource: 'configmaps',
      error: 'Invalid',
      times: 1,
    });
    const { issues, restore } = await engine.restore({
      name: 'again',
      spec: { backupName: 'shop', existingResourcePolicy: 'update' },
    });
    expect(issues).toEqual([
      expect.objectContaining({ severity: 'warning', reason: 'UpdateRefused' }),
    ]);
    expect(restore.status.phase).toBe('Completed');
    expect(await liveConfigMap()).toMatchObject({
      data: { a: 'changed' },
      metadata: { labels: { 'velero.io/restore-name': 'again' } },
    });
  });

  it('are deleted and created again when that is asked for, but for what holds data', async () => {
    const claim = archivedObject(
      'v1',
      'PersistentVolumeClaim',
      { name: 'data' },
      {
        spec: {
          storageClassName: 'fake-csi',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
        },
      },
    );
    await storeShop([...shop, ['persistentvolumeclaims', claim]]);
    seedConfigMap({ a: 'changed' });
    const existing: KubernetesManifest = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'shop' },
      spec: {
        storageClassName: 'fake-csi',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '2Gi' } },
      },
    };
    cluster.seed([existing]);
    const before = await liveConfigMap();
    const request = { spec: { backupName: 'shop' } };
    const plan = await engine.planRestore(request, { existingObjects: 'recreate' });
    expect(itemOf(plan, 'configmaps')).toMatchObject({
      action: 'recreate',
      live: { uid: before?.metadata.uid },
    });
    expect(itemOf(plan, 'persistentvolumeclaims')).toMatchObject({ action: 'conflict' });
    const { issues } = await engine.restore(plan);
    expect(issues).toEqual([expect.objectContaining({ reason: 'ExistsAndDiffers' })]);
    const after = await liveConfigMap();
    expect(after?.['data']).toEqual({ a: 'b' });
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
    expect(
      await cluster.get({ ...Resources.persistentVolumeClaims, namespace: 'shop', name: 'data' }),
    ).toMatchObject({
      spec: { resources: { requests: { storage: '2Gi' } } },
    });
  });

  it('are not deleted when another object has taken the name meanwhile', async () => {
    await storeShop(shop);
    seedConfigMap({ a: 'changed' });
    cluster.faults.inject({ operation: 'delete', resource: 'configmaps', error: 'Conflict' });
    const { issues } = await engine.restore(
      { spec: { backupName: 'shop' } },
      { existingObjects: 'recreate' },
    );
    expect(issues).toEqual([expect.objectContaining({ severity: 'error', reason: 'Conflict' })]);
    expect(await liveConfigMap()).toMatchObject({ data: { a: 'changed' } });
  });

  it('that are being deleted are not taken for restored', async () => {
    await storeShop(shop);
    seedConfigMap({ a: 'b' }, { finalizers: ['example.com/hold'] });
    await cluster.delete({ ...configMaps, namespace: 'shop', name: 'settings' });
    const { issues } = await engine.restore({ spec: { backupName: 'shop' } });
    expect(issues).toEqual([
      expect.objectContaining({ severity: 'warning', reason: 'ExistsTerminating' }),
    ]);
  });

  it('are left alone without a word and unchanged when an earlier restore has made them', async () => {
    const service = archivedObject(
      'v1',
      'Service',
      { name: 'web' },
      { spec: { clusterIP: '10.0.0.1', ports: [{ port: 80 }] } },
    );
    await storeShop([...shop, ['services', service]]);
    await engine.restore({ name: 'first', spec: { backupName: 'shop' } });
    cluster.forgetRequests();
    const { issues, restore } = await engine.restore({
      name: 'second',
      spec: { backupName: 'shop' },
    });
    expect(issues).toEqual([]);
    expect(restore.status.phase).toBe('Completed');
    const creations = cluster.requests.filter(({ operation }) => operation === 'create');
    expect(writes()).toHaveLength(creations.length);
    const plan = await engine.planRestore({ spec: { backupName: 'shop' } });
    expect(plan.counts).toMatchObject({ create: 0, update: 0, conflict: 0, blocked: 0 });
  });
});

describe('how a restore treats the API server', () => {
  const many: Stored = [
    ['namespaces', namespace],
    ...Array.from(
      { length: 200 },
      (_, index) =>
        [
          'configmaps',
          archivedObject(
            'v1',
            'ConfigMap',
            { name: `c-${index}` },
            { data: { index: String(index) } },
          ),
        ] as const,
    ),
  ];

  it('sends at most 1.2 requests per object into an empty target', async () => {
    await storeShop([...many, ...shop.slice(2)]);
    cluster.forgetRequests();
    const { restore } = await engine.restore({ spec: { backupName: 'shop' } });
    const { itemsRestored = 0 } = restore.status.progress ?? {};
    expect(itemsRestored).toBeGreaterThan(200);
    expect(cluster.requests.length).toBeLessThanOrEqual(itemsRestored * 1.2);
  });

  it('sends far fewer requests than objects when all of them are there', async () => {
    await storeShop(many);
    await engine.restore({ spec: { backupName: 'shop' } });
    cluster.forgetRequests();
    await engine.restore({ spec: { backupName: 'shop' } });
    expect(cluster.requests.length).toBeLessThan(20);
  });

  it('waits and goes on when the server is overloaded', async () => {
    await storeShop(many);
    cluster.faults.inject({
      operation: 'create',
      resource: 'configmaps',
      error: 'RateLimited',
      times: 3,
    });
    const { issues } = await engine.restore({ spec: { backupName: 'shop' } });
    expect(issues).toEqual([]);
  });
});

describe('what is selected', () => {
  it('is the objects that are named alone, and one that the backup does not hold is a warning', async () => {
    await storeShop(shop);
    const only = [
      { groupResource: 'cm', namespace: 'shop', name: 'settings' },
      { groupResource: 'cm', namespace: 'shop', name: 'nowhere' },
    ];
    const { issues } = await engine.restore({ spec: { backupName: 'shop' } }, { only });
    expect(issues).toEqual([
      expect.objectContaining({ severity: 'warning', reason: 'NotSelected' }),
    ]);
    expect(writes()).toEqual(['create namespaces shop', 'create configmaps settings']);
  });

  it('is what the predicate lets through; where it throws, the object is left out with an error', async () => {
    await storeShop(shop);
    const include = ({
      groupResource,
      object,
    }: {
      readonly groupResource: string;
      readonly object: JsonObject;
    }): boolean => {
      if (groupResource === 'secrets') {
        throw new Error('no opinion');
      }
      return object['kind'] === 'ConfigMap';
    };
    const { issues } = await engine.restore({ spec: { backupName: 'shop' } }, { include });
    expect(issues).toEqual([
      expect.objectContaining({
        reason: 'ItemFailed',
        message: containing('no opinion'),
      }),
    ]);
    expect(writes()).toEqual(['create namespaces shop', 'create configmaps settings']);
  });

  it('is the latest completed backup of a schedule', async () => {
    const ofSchedule = async (
      name: string,
      startTimestamp: string,
      phase: 'Completed' | 'Failed',
    ): Promise<void> => {
      await storeBackup(store, {
        name,
        phase,
        objects: shop,
        labels: { 'velero.io/schedule-name': 'nightly' },
        startTimestamp,
      });
    };
    await ofSchedule('n-1', '2026-01-01T00:00:00Z', 'Completed');
    await ofSchedule('n-2', '2026-01-03T00:00:00Z', 'Completed');
    await ofSchedule('n-3', '2026-01-04T00:00:00Z', 'Failed');
    await ofSchedule('n-0', '2026-01-02T00:00:00Z', 'Completed');
    const { restore } = await engine.planRestore({
      spec: { backupName: '', scheduleName: 'nightly' },
    });
    expect(restore.spec.backupName).toBe('n-2');
    await expect(
      engine.planRestore({ spec: { backupName: '', scheduleName: 'weekly' } }),
    ).rejects.toMatchObject({ code: 'NotFound' });
  });
});
