import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupKey, deletionMarkKey } from '../catalog/key-layout.ts';
import { isLifeboatError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
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

function getConfigMap(namespace: string, name = 'settings'): Promise<KubernetesObject | undefined> {
  return scene.cluster.get({ ...Resources.configMaps, namespace, name });
}

/** A namespace whose deletion an object of its content holds back. */
describe('what goes wrong', () => {
  it('a request that breaks rules touches nothing', async () => {
    const request = { spec: { backupName: 'shop', namespaceMapping: { a: 'x', b: 'x' } } };
    await expect(scene.restore(request)).rejects.toSatisfy((error) =>
      isLifeboatError(error, 'Validation'),
    );
    expect(scene.cluster.requests).toEqual([]);
  });

  it('an unknown backup is named together with those there are', async () => {
    await storeBackup(scene.store, shop);
    const unknown = scene.restore({ spec: { backupName: 'nope' } });
    await expect(unknown).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('among others: shop') as string,
    });
  });

  it('a backup whose deletion has begun is refused before the cluster is asked anything', async () => {
    await storeBackup(scene.store, shop);
    await scene.store.put(deletionMarkKey('shop'), Buffer.from('{}'));
    await expect(scene.restore({ spec: { backupName: 'shop' } })).rejects.toMatchObject({
      code: 'Conflict',
      target: 'shop',
      message: expect.stringContaining('Finish the deletion with deleteBackup') as string,
    });
    expect(scene.cluster.requests).toEqual([]);
  });

  it.each([0.3, 0.9])(
    'an archive cut at %d of its length is found out before anything is created',
    async (part) => {
      await storeBackup(scene.store, shop);
      const key = backupKey('shop', 'archive');
      const whole = await readAll(await scene.store.get(key), { maximumBytes: 1_000_000 });
      await scene.store.put(key, whole.subarray(0, Math.floor(whole.length * part)));
      const cut = scene.restore({ spec: { backupName: 'shop' } });
      await expect(cut).rejects.toSatisfy((error) => isLifeboatError(error, 'CorruptBackup'));
      expect(scene.cluster.requests.filter(({ operation }) => operation === 'create')).toEqual([]);
    },
  );

  it('a missing archive is a corrupt backup', async () => {
    await storeBackup(scene.store, shop);
    await scene.store.delete(backupKey('shop', 'archive'));
    await expect(scene.restore({ spec: { backupName: 'shop' } })).rejects.toSatisfy((error) =>
      isLifeboatError(error, 'CorruptBackup'),
    );
  });

  it('a resource that the target does not serve is a warning that names the object', async () => {
    const gizmo = archivedObject('example.com/v1', 'Gizmo', { name: 'g' });
    await storeBackup(scene.store, { name: 'gizmos', objects: [['gizmos', gizmo]] });
    const { issues, restore: done } = await scene.restore({ spec: { backupName: 'gizmos' } });
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
    await storeBackup(scene.store, shop);
    await scene.store.put(backupKey('shop', 'archive'), tar.pipe(createGzip()));
    const { issues } = await scene.restore({ spec: { backupName: 'shop' } });
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
    await storeBackup(scene.store, { name: 'odd', objects: [['configmaps', role]] });
    const { issues } = await scene.restore({ spec: { backupName: 'odd' } });
    expect(issues).toMatchObject([
      { severity: 'error', reason: 'CorruptObject', object: { name: 'disguised' } },
    ]);
  });

  it('an object that is refused is an error that names it, and the others are restored', async () => {
    await storeBackup(scene.store, shop);
    scene.cluster.faults.inject({ operation: 'create', resource: 'secrets', error: 'Forbidden' });
    const { issues, restore: done } = await scene.restore({ spec: { backupName: 'shop' } });
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
    await storeBackup(scene.store, shop);
    scene.cluster.faults.inject({
      operation: 'create',
      resource: 'namespaces',
      error: 'Forbidden',
    });
    const { issues } = await scene.restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([
      {
        severity: 'error',
        reason: 'Forbidden',
        object: { groupResource: 'namespaces', name: 'shop' },
      },
    ]);
    const creates = scene.cluster.requests.filter(({ operation }) => operation === 'create');
    expect(creates.map(({ resource }) => resource)).toEqual(['namespaces']);
  });

  it('an API server that cannot be reached rejects with what it is', async () => {
    await storeBackup(scene.store, shop);
    scene.cluster.faults.inject({ error: 'Unavailable' });
    await expect(scene.restore({ spec: { backupName: 'shop' } })).rejects.toSatisfy((error) =>
      isLifeboatError(error, 'Unavailable'),
    );
  });
});

describe('an abort', () => {
  it('before the start touches nothing', async () => {
    const reason = new Error('stop');
    const aborted = scene.restore(
      { spec: { backupName: 'shop' } },
      { signal: AbortSignal.abort(reason) },
    );
    await expect(aborted).rejects.toBe(reason);
    expect(scene.cluster.requests).toEqual([]);
  });

  it('stops starting work, finishes the write in hand and rejects with its reason', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
    await storeBackup(scene.store, {
      name: 'many',
      objects: names.map((name) => ['configmaps', archivedObject('v1', 'ConfigMap', { name })]),
    });
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = scene.restore(
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
    const asked = scene.cluster.requests.filter(
      ({ operation, resource }) => operation === 'create' && resource === 'configmaps',
    );
    const stored = await Array.fromAsync(
      scene.cluster.list(Resources.configMaps, { namespace: 'shop' }),
    );
    const ours = stored.filter(({ metadata }) => metadata.name.startsWith('c'));
    expect(ours.length).toBe(asked.length);
    expect(asked.length).toBeLessThan(10);
  });
});
