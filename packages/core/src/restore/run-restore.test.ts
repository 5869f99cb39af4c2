import { createGzip, gunzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupKey, deletionMarkKey, restoreKey } from '../catalog/key-layout.ts';
import { isLifeboatError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { RestoreEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreOptions, RestoreRequest, RestoreResult } from './request.ts';
import { runRestore } from './run-restore.ts';
import { archivedObject, type StoredBackup, storeBackup } from './stored-backup-fixture.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

const settings = archivedObject('v1', 'ConfigMap', { name: 'settings' }, { data: { a: 'b' } });
const shop: StoredBackup = {
  name: 'shop',
  objects: [
    [
      'namespaces',
      archivedObject('v1', 'Namespace', {
        name: 'shop',
        namespace: undefined,
        labels: { team: 'a', 'kubernetes.io/metadata.name': 'shop' },
        annotations: { note: 'x' },
      }),
    ],
    ['configmaps', settings],
    [
      'secrets',
      archivedObject('v1', 'Secret', { name: 'key' }, { data: { k: 'dg==' }, type: 'Opaque' }),
    ],
  ],
};

let cluster: FakeCluster;
let store: MemoryObjectStore;

beforeEach(() => {
  cluster = new FakeCluster();
  store = new MemoryObjectStore();
});

afterEach(async () => {
  await cluster.close();
  await store.close();
});

function restore(
  request: RestoreRequest,
  options: RestoreOptions & { actions?: readonly RestoreItemAction[] } = {},
): Promise<RestoreResult> {
  const { actions = [], ...rest } = options;
  return runRestore(
    { cluster, store, clock: systemClock, logger: silentLogger, actions, concurrency: 4 },
    request,
    rest,
  );
}

async function storedJson(key: string): Promise<JsonObject> {
  const bytes = await readAll(await store.get(key), { maximumBytes: 1_000_000 });
  return JSON.parse(gunzipSync(bytes).toString()) as JsonObject;
}

function getConfigMap(namespace: string, name = 'settings'): Promise<KubernetesObject | undefined> {
  return cluster.get({ ...configMaps, namespace, name });
}

/** A namespace whose deletion an object of its content holds back. */
function seedHeldNamespace(): void {
  cluster.seed([
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop' },
      spec: { finalizers: ['kubernetes'] },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'held', namespace: 'shop', finalizers: ['example.com/hold'] },
    },
  ]);
}

describe('restoring objects', () => {
  it('makes the namespace and its objects anew, labelled with backup and restore', async () => {
    await storeBackup(store, shop);
    const result = await restore({ name: 'again', spec: { backupName: 'shop' } });
    expect(result.issues).toEqual([]);
    expect(result.restore.status).toMatchObject({
      phase: 'Completed',
      progress: { totalItems: 3, itemsRestored: 3 },
    });
    const namespace = await cluster.get({ ...Resources.namespaces, name: 'shop' });
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
    await storeBackup(store, shop);
    await restore({ spec: { backupName: 'shop', namespaceMapping: { shop: 'copy' } } });
    const namespace = await cluster.get({ ...Resources.namespaces, name: 'copy' });
    expect(namespace?.metadata.labels?.['kubernetes.io/metadata.name']).toBe('copy');
    expect(await getConfigMap('copy')).toBeDefined();
    expect(await cluster.get({ ...Resources.namespaces, name: 'shop' })).toBeUndefined();
  });

  it('restores only what is selected', async () => {
    await storeBackup(store, shop);
    await restore({ spec: { backupName: 'shop', includedResources: ['cm'] } });
    expect(await getConfigMap('shop')).toBeDefined();
    const secrets = { group: '', version: 'v1', resource: 'secrets' };
    expect(await cluster.get({ ...secrets, namespace: 'shop', name: 'key' })).toBeUndefined();
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
    await storeBackup(store, {
      name: 'gizmos',
      objects: [
        ['gizmos', gizmo],
        ['customresourcedefinitions', definition],
      ],
    });
    const { issues } = await restore({ spec: { backupName: 'gizmos' } });
    expect(issues).toEqual([]);
    const gizmos = { group: 'example.com', version: 'v1', resource: 'gizmos' };
    expect(await cluster.get({ ...gizmos, namespace: 'shop', name: 'g' })).toMatchObject({
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
    await storeBackup(store, {
      name: 'pods',
      objects: [
        ['pods', pod],
        ['priorityclasses', priorityClass],
      ],
    });
    const spec = { backupName: 'pods', includedNamespaces: ['shop'] };
    const { issues } = await restore({ spec });
    expect(issues).toEqual([]);
    expect(await cluster.get({ ...Resources.priorityClasses, name: 'high' })).toBeDefined();
  });

  it('runs the actions of the application, which may change, skip, warn and fail', async () => {
    const names = ['changed', 'failed', 'skipped', 'warned'];
    await storeBackup(store, {
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
    const { issues, restore: done } = await restore(
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
    await storeBackup(store, shop);
    await restore({ name: 'first', spec: { backupName: 'shop' } });
  });

  it('is skipped without a word when it is the same', async () => {
    const events: RestoreEvent[] = [];
    const { issues } = await restore(
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
    await cluster.patch(
      { ...configMaps, namespace: 'shop', name: 'settings' },
      { type: 'merge', patch: { data: { a: 'changed' } } },
    );
    const { issues, restore: done } = await restore({
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
    const again = restore({ name: 'first', spec: { backupName: 'shop' } });
    await expect(again).rejects.toSatisfy((error) => isLifeboatError(error, 'AlreadyExists'));
  });
});

describe('what a restore tells', () => {
  it('reports phases, items and rising progress, and survives a listener that throws', async () => {
    await storeBackup(store, shop);
    const events: RestoreEvent[] = [];
    await restore(
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
    await storeBackup(store, shop);
    await restore({ name: 'again', spec: { backupName: 'shop' } });
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

describe('what goes wrong', () => {
  it('a request that breaks rules touches nothing', async () => {
    const request = { spec: { backupName: 'shop', namespaceMapping: { a: 'x', b: 'x' } } };
    await expect(restore(request)).rejects.toSatisfy((error) =>
      isLifeboatError(error, 'Validation'),
    );
    expect(cluster.requests).toEqual([]);
  });

  it('an unknown backup is named together with those there are', async () => {
    await storeBackup(store, shop);
    const unknown = restore({ spec: { backupName: 'nope' } });
    await expect(unknown).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('among others: shop') as string,
    });
  });

  it('a backup whose deletion has begun is refused before the cluster is asked anything', async () => {
    await storeBackup(store, shop);
    await store.put(deletionMarkKey('shop'), Buffer.from('{}'));
    await expect(restore({ spec: { backupName: 'shop' } })).rejects.toMatchObject({
      code: 'Conflict',
      target: 'shop',
      message: expect.stringContaining('Finish the deletion with deleteBackup') as string,
    });
    expect(cluster.requests).toEqual([]);
  });

  it.each([0.3, 0.9])(
    'an archive cut at %d of its length is found out before anything is created',
    async (part) => {
      await storeBackup(store, shop);
      const key = backupKey('shop', 'archive');
      const whole = await readAll(await store.get(key), { maximumBytes: 1_000_000 });
      await store.put(key, whole.subarray(0, Math.floor(whole.length * part)));
      const cut = restore({ spec: { backupName: 'shop' } });
      await expect(cut).rejects.toSatisfy((error) => isLifeboatError(error, 'CorruptBackup'));
      expect(cluster.requests.filter(({ operation }) => operation === 'create')).toEqual([]);
    },
  );

  it('a missing archive is a corrupt backup', async () => {
    await storeBackup(store, shop);
    await store.delete(backupKey('shop', 'archive'));
    await expect(restore({ spec: { backupName: 'shop' } })).rejects.toSatisfy((error) =>
      isLifeboatError(error, 'CorruptBackup'),
    );
  });

  it('a resource that the target does not serve is a warning that names the object', async () => {
    const gizmo = archivedObject('example.com/v1', 'Gizmo', { name: 'g' });
    await storeBackup(store, { name: 'gizmos', objects: [['gizmos', gizmo]] });
    const { issues, restore: done } = await restore({ spec: { backupName: 'gizmos' } });
    expect(issues).toMatchObject([
      {
        severity: 'warning',
        reason: 'ResourceNotServed',
        object: { groupResource: 'gizmos.example.com', namespace: 'shop', name: 'g' },
      },
    ]);
    expect(done.status.phase).toBe('Completed');
  });

  it('an object that is not what its path says is an error and is not created', async () => {
    const evil = archivedObject('v1', 'ConfigMap', { name: 'evil', namespace: 'kube-system' });
    const tar = pack();
    for (const object of [settings, evil]) {
      tar.entry(
        { name: `resources/configmaps/namespaces/shop/${object.metadata.name}.json` },
        JSON.stringify(object),
      );
    }
    tar.finalize();
    await storeBackup(store, shop);
    await store.put(backupKey('shop', 'archive'), tar.pipe(createGzip()));
    const { issues } = await restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([
      {
        severity: 'error',
        reason: 'CorruptObject',
        message: expect.stringContaining('kube-system') as string,
        object: { groupResource: 'configmaps', namespace: 'shop', name: 'evil' },
      },
    ]);
    expect(await getConfigMap('shop')).toBeDefined();
    expect(await getConfigMap('kube-system', 'evil')).toBeUndefined();
    expect(await getConfigMap('shop', 'evil')).toBeUndefined();
  });

  it('an object of another kind than its place says is an error', async () => {
    const role = archivedObject('v1', 'Secret', { name: 'disguised' });
    await storeBackup(store, { name: 'odd', objects: [['configmaps', role]] });
    const { issues } = await restore({ spec: { backupName: 'odd' } });
    expect(issues).toMatchObject([
      { severity: 'error', reason: 'CorruptObject', object: { name: 'disguised' } },
    ]);
  });

  it('an object that is refused is an error that names it, and the others are restored', async () => {
    await storeBackup(store, shop);
    cluster.faults.inject({ operation: 'create', resource: 'secrets', error: 'Forbidden' });
    const { issues, restore: done } = await restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([
      {
        severity: 'error',
        reason: 'Forbidden',
        object: { groupResource: 'secrets', namespace: 'shop', name: 'key' },
      },
    ]);
    expect(done.status).toMatchObject({ phase: 'PartiallyFailed', errors: 1 });
    expect(await getConfigMap('shop')).toBeDefined();
  });

  it('a namespace that cannot be made is one error, and its objects are not tried', async () => {
    await storeBackup(store, shop);
    cluster.faults.inject({ operation: 'create', resource: 'namespaces', error: 'Forbidden' });
    const { issues } = await restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([
      {
        severity: 'error',
        reason: 'Forbidden',
        object: { groupResource: 'namespaces', name: 'shop' },
      },
    ]);
    const creates = cluster.requests.filter(({ operation }) => operation === 'create');
    expect(creates.map(({ resource }) => resource)).toEqual(['namespaces']);
  });

  it('a namespace on its way out is waited for, then made anew', async () => {
    await storeBackup(store, shop);
    seedHeldNamespace();
    await cluster.delete({ ...Resources.namespaces, name: 'shop' });
    const running = restore({ spec: { backupName: 'shop' } });
    await cluster.settle();
    await cluster.patch(
      { ...configMaps, namespace: 'shop', name: 'held' },
      { type: 'merge', patch: { metadata: { finalizers: null } } },
    );
    expect((await running).issues).toEqual([]);
    expect(await getConfigMap('shop')).toBeDefined();
  });

  it('a namespace that does not go away in time is an error', async () => {
    await storeBackup(store, shop);
    seedHeldNamespace();
    await cluster.delete({ ...Resources.namespaces, name: 'shop' });
    const { issues } = await restore({ spec: { backupName: 'shop' } }, { namespaceTimeoutMs: 20 });
    expect(issues).toMatchObject([{ reason: 'NamespaceTerminating', object: { name: 'shop' } }]);
  });

  it('an API server that cannot be reached rejects with what it is', async () => {
    await storeBackup(store, shop);
    cluster.faults.inject({ error: 'Unavailable' });
    await expect(restore({ spec: { backupName: 'shop' } })).rejects.toSatisfy((error) =>
      isLifeboatError(error, 'Unavailable'),
    );
  });
});

describe('an abort', () => {
  it('before the start touches nothing', async () => {
    const reason = new Error('stop');
    const aborted = restore(
      { spec: { backupName: 'shop' } },
      { signal: AbortSignal.abort(reason) },
    );
    await expect(aborted).rejects.toBe(reason);
    expect(cluster.requests).toEqual([]);
  });

  it('stops starting work, finishes the write in hand and rejects with its reason', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
    await storeBackup(store, {
      name: 'many',
      objects: names.map((name) => ['configmaps', archivedObject('v1', 'ConfigMap', { name })]),
    });
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = restore(
      { spec: { backupName: 'many' } },
      {
        signal: controller.signal,
        onEvent: ({ type }) => {
          if (type === 'item') {
            controller.abort(reason);
          }
        },
      },
    );
    await expect(aborted).rejects.toBe(reason);
    const asked = cluster.requests.filter(
      ({ operation, resource }) => operation === 'create' && resource === 'configmaps',
    );
    const stored = await Array.fromAsync(cluster.list(configMaps, { namespace: 'shop' }));
    const ours = stored.filter(({ metadata }) => metadata.name.startsWith('c'));
    expect(ours.length).toBe(asked.length);
    expect(asked.length).toBeLessThan(10);
  });
});
