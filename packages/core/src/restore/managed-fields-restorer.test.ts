import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { JsonObject } from '../model/json.ts';
import { Resources } from '../model/resources.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreOptions, RestoreResult } from './request.ts';
import { runRestore } from './run-restore.ts';
import { archivedObject, type StoredBackup, storeBackup } from './stored-backup-fixture.ts';

const managedFields: readonly JsonObject[] = [
  {
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:data': { 'f:a': {} } },
    manager: 'kubectl',
    operation: 'Apply',
    time: '2026-01-02T03:04:05Z',
  },
];
const size = { storage: '1Gi' };
const accessModes = ['ReadWriteOnce'];
const claim = archivedObject(
  'v1',
  'PersistentVolumeClaim',
  { name: 'data', managedFields },
  {
    spec: { accessModes, resources: { requests: size }, storageClassName: '', volumeName: 'pv' },
    status: { phase: 'Bound' },
  },
);
const volume = archivedObject(
  'v1',
  'PersistentVolume',
  { name: 'pv', namespace: undefined, managedFields },
  {
    spec: {
      accessModes,
      capacity: size,
      claimRef: { namespace: 'shop', name: 'data' },
      hostPath: { path: '/data' },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  },
);
const settings = archivedObject(
  'v1',
  'ConfigMap',
  { name: 'settings', managedFields },
  { data: { a: 'b' } },
);
const objects: StoredBackup['objects'] = [
  ['configmaps', settings],
  ['configmaps', archivedObject('v1', 'ConfigMap', { name: 'bare' })],
  ['persistentvolumeclaims', claim],
  ['persistentvolumes', volume],
];

describe('managedFields of created objects', () => {
  let cluster: FakeCluster;
  let store: MemoryObjectStore;

  beforeEach(async () => {
    cluster = new FakeCluster();
    store = new MemoryObjectStore();
    await storeBackup(store, { name: 'b', objects });
  });

  afterEach(async () => {
    await cluster.close();
    await store.close();
  });

  function restore(options: RestoreOptions = {}): Promise<RestoreResult> {
    return runRestore(
      { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
      { spec: { backupName: 'b' } },
      options,
    );
  }

  function patched(): readonly string[] {
    return cluster.requests
      .filter(({ operation }) => operation === 'patch')
      .map(({ resource, name }) => `${resource} ${name ?? ''}`);
  }

  async function managersOf(name: string): Promise<unknown> {
    const object = await cluster.get({ ...Resources.configMaps, namespace: 'shop', name });
    return object?.metadata['managedFields'];
  }

  it('are those of the restore unless they are asked for', async () => {
    await restore();
    expect(patched()).toEqual([]);
    expect(await managersOf('settings')).toMatchObject([{ operation: 'Update' }]);
  });

  it('are restored where they are asked for, and nothing else is written', async () => {
    const { issues } = await restore({ restoreManagedFields: true });
    expect(issues).toEqual([]);
    expect(await managersOf('settings')).toEqual(managedFields);
    expect(patched()).toEqual(['configmaps settings']);
  });

  it('are never written to claims, nor to volumes', async () => {
    const { items } = await restore({ restoreManagedFields: true });
    expect(items.map(({ action, object }) => `${action} ${object.groupResource}`)).toEqual(
      expect.arrayContaining(['created persistentvolumeclaims', 'created persistentvolumes']),
    );
    expect(patched()).toEqual(['configmaps settings']);
  });

  it('are a warning of an object that does not take them', async () => {
    cluster.faults.inject({ operation: 'patch', resource: 'configmaps', error: 'Forbidden' });
    const { restore: done, issues } = await restore({ restoreManagedFields: true });
    expect(done.status.phase).toBe('Completed');
    expect(issues).toMatchObject([
      {
        severity: 'warning',
        reason: 'ManagedFieldsNotRestored',
        object: { groupResource: 'configmaps', namespace: 'shop', name: 'settings' },
      },
    ]);
  });

  it('are left alone of an object that was there', async () => {
    await restore();
    await restore({ restoreManagedFields: true });
    expect(patched()).toEqual([]);
  });
});
