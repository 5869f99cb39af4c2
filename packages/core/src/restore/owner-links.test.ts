import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, OwnerReference } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { ownersPatch } from './owner-links.ts';
import type { RestoreOptions, RestoreResult } from './request.ts';
import { runRestore } from './run-restore.ts';
import { archivedObject, type StoredBackup, storeBackup } from './stored-backup-fixture.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

function owner(fields: JsonObject = {}): OwnerReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'uid-of-owner', ...fields };
}

function configMap(name: string, ownerReferences: readonly OwnerReference[] = []) {
  const owned = ownerReferences.length === 0 ? {} : { ownerReferences };
  return ['configmaps', archivedObject('v1', 'ConfigMap', { name, ...owned })] as const;
}

describe('a restore that relinks owners', () => {
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

  async function restore(
    objects: StoredBackup['objects'],
    options: RestoreOptions = { relinkOwners: true },
  ): Promise<RestoreResult> {
    await storeBackup(store, { name: 'b', objects });
    return runRestore(
      { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
      { spec: { backupName: 'b', namespaceMapping: { shop: 'copy' } } },
      options,
    );
  }

  async function found(name: string, namespace = 'copy'): Promise<KubernetesObject | undefined> {
    return cluster.get({ ...configMaps, namespace, name });
  }

  const flags = { controller: true, blockOwnerDeletion: true };

  it('points what comes before its owner at the owner, with all that the reference says', async () => {
    const { issues } = await restore([configMap('a-child', [owner(flags)]), configMap('owner')]);
    expect(issues).toEqual([]);
    const uid = (await found('owner'))?.metadata.uid;
    expect((await found('a-child'))?.metadata.ownerReferences).toEqual([{ ...owner(flags), uid }]);
  });

  it('lets the garbage collector delete what the owner owned', async () => {
    await restore([configMap('child', [owner()]), configMap('owner')]);
    await cluster.delete({ ...configMaps, namespace: 'copy', name: 'owner' });
    await cluster.settle();
    expect(await found('child')).toBeUndefined();
  });

  it('leaves out owners that it does not have, and objects without any', async () => {
    await restore([
      configMap('child', [owner({ name: 'elsewhere', uid: 'unknown' }), owner()]),
      configMap('orphan', [owner({ uid: 'unknown' })]),
      configMap('owner'),
    ]);
    expect((await found('child'))?.metadata.ownerReferences).toMatchObject([{ name: 'owner' }]);
    expect((await found('orphan'))?.metadata.ownerReferences).toBeUndefined();
  });

  it('leaves out owners of another namespace, which the garbage collector would not find', async () => {
    const objects = [configMap('child', [owner()]), configMap('owner')].map(
      ([resource, object]) =>
        [
          resource,
          object.metadata.name === 'owner'
            ? { ...object, metadata: { ...object.metadata, namespace: 'other' } }
            : object,
        ] as const,
    );
    await restore(objects);
    expect(await found('owner', 'other')).toBeDefined();
    expect((await found('child'))?.metadata.ownerReferences).toBeUndefined();
  });

  it('takes cluster-scoped owners', async () => {
    const namespaced = configMap('child', [
      owner({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', name: 'high' }),
    ]);
    const high = archivedObject(
      'scheduling.k8s.io/v1',
      'PriorityClass',
      { name: 'high', namespace: undefined, uid: 'uid-of-owner' },
      { value: 1 },
    );
    await restore([namespaced, ['priorityclasses', high]]);
    const uid = (await cluster.get({ ...Resources.priorityClasses, name: 'high' }))?.metadata.uid;
    expect((await found('child'))?.metadata.ownerReferences).toMatchObject([{ uid }]);
  });

  it('finishes what an earlier restore has left undone', async () => {
    const objects = [configMap('child', [owner()]), configMap('owner')];
    await restore(objects, {});
    expect((await found('child'))?.metadata.ownerReferences).toBeUndefined();
    await restore(objects);
    const uid = (await found('owner'))?.metadata.uid;
    expect((await found('child'))?.metadata.ownerReferences).toMatchObject([{ uid }]);
  });

  it('makes a warning of an object that it cannot link', async () => {
    cluster.faults.inject({ operation: 'patch', resource: 'configmaps', error: 'Forbidden' });
    const { restore: done, issues } = await restore([
      configMap('child', [owner()]),
      configMap('owner'),
    ]);
    expect(done.status.phase).toBe('Completed');
    expect(issues).toMatchObject([
      { severity: 'warning', reason: 'OwnersNotLinked', object: { name: 'child' } },
    ]);
  });

  it('tries again when the object has changed', async () => {
    cluster.faults.inject({
      ...{ operation: 'patch', resource: 'configmaps', error: 'Conflict', times: 2 },
    });
    const { issues } = await restore([configMap('child', [owner()]), configMap('owner')]);
    expect(issues).toEqual([]);
    expect((await found('child'))?.metadata.ownerReferences).toHaveLength(1);
  });
});

describe('ownersPatch', () => {
  function patchOf(present: readonly OwnerReference[], owners: readonly OwnerReference[]) {
    const metadata = { name: 'child', resourceVersion: '7', ownerReferences: present };
    return ownersPatch({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, owners);
  }

  it('keeps the owners that are there, and repeats none', () => {
    const other = owner({ uid: 'other' });
    expect(patchOf([other], [owner()])).toEqual({
      metadata: { resourceVersion: '7', ownerReferences: [other, owner()] },
    });
    expect(patchOf([owner()], [owner()])).toBeUndefined();
  });

  it('adds no second controller', () => {
    const adopter = owner({ uid: 'other', controller: true });
    expect(patchOf([adopter], [owner({ controller: true })])).toMatchObject({
      metadata: { ownerReferences: [adopter, { uid: 'uid-of-owner', controller: false }] },
    });
  });
});
