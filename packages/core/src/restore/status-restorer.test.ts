import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import type { RestoreSpec } from '../model/restore.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreResult } from './request.ts';
import { runRestore } from './run-restore.ts';
import { archivedObject, type StoredBackup, storeBackup } from './stored-backup-fixture.ts';

const group = 'example.com';
const status = { phase: 'Ready', observed: 3 };

type Entry = StoredBackup['objects'][number];

function definition(plural: string, kind: string, subresources: JsonObject): Entry {
  const schema = {
    openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  };
  return [
    'customresourcedefinitions',
    archivedObject(
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      { name: `${plural}.${group}`, namespace: undefined },
      {
        spec: {
          group,
          scope: 'Namespaced',
          names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
          versions: [{ name: 'v1', served: true, storage: true, schema, subresources }],
        },
      },
    ),
  ];
}

function widget(annotations: StringMap = {}): Entry {
  const object = archivedObject(`${group}/v1`, 'Widget', { name: 'w', annotations }, { status });
  return ['widgets', object];
}

const withStatus = definition('widgets', 'Widget', { status: {} });

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
  objects: readonly Entry[],
  spec: Partial<RestoreSpec> = {},
): Promise<RestoreResult> {
  await storeBackup(store, { name: 'b', objects });
  return runRestore(
    { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
    { spec: { ...spec, backupName: 'b' } },
  );
}

async function restored(resource: string, name = 'w'): Promise<KubernetesObject | undefined> {
  return cluster.get({ group, version: 'v1', resource, namespace: 'shop', name });
}

describe('the status of a created object', () => {
  it('is not restored unless it is asked for', async () => {
    await restore([withStatus, widget()]);
    expect(await restored('widgets')).not.toHaveProperty('status');
  });

  it('is restored as a whole where it is asked for', async () => {
    const { issues } = await restore([withStatus, widget()], { restoreStatus: {} });
    expect(issues).toEqual([]);
    expect(await restored('widgets')).toMatchObject({ status });
  });

  it('is restored for an object that is annotated', async () => {
    await restore([withStatus, widget({ 'velero.io/restore-status': 'true' })]);
    expect(await restored('widgets')).toMatchObject({ status });
  });

  it('is restored where it is a field of the object', async () => {
    const gadget = archivedObject(`${group}/v1`, 'Gadget', { name: 'w' }, { status });
    const objects = [definition('gadgets', 'Gadget', {}), ['gadgets', gadget] as const];
    const { issues } = await restore(objects, {
      restoreStatus: { includedResources: ['gadgets'] },
    });
    expect(issues).toEqual([]);
    expect(await restored('gadgets')).toMatchObject({ status });
  });

  it('is tried again when the object changes meanwhile, and is a warning when it is refused', async () => {
    const fault = { operation: 'patch', resource: `widgets.${group}` } as const;
    cluster.faults.inject({ ...fault, error: 'Conflict', times: 3 });
    expect((await restore([withStatus, widget()], { restoreStatus: {} })).issues).toEqual([]);
    await cluster.delete({
      group,
      version: 'v1',
      resource: 'widgets',
      namespace: 'shop',
      name: 'w',
    });
    cluster.faults.inject({ ...fault, error: 'Forbidden' });
    const { restore: done, issues } = await restore([withStatus, widget()], { restoreStatus: {} });
    expect(done.status.phase).toBe('Completed');
    expect(issues).toMatchObject([
      {
        severity: 'warning',
        reason: 'StatusNotRestored',
        object: { groupResource: `widgets.${group}`, namespace: 'shop', name: 'w' },
      },
    ]);
  });

  it('is left alone for an object that was there', async () => {
    await restore([withStatus, widget()]);
    await restore([withStatus, widget()], { restoreStatus: {} });
    expect(await restored('widgets')).not.toHaveProperty('status');
  });

  it('is a warning of an annotation that means nothing', async () => {
    const { issues } = await restore([withStatus, widget({ 'velero.io/restore-status': 'yes' })]);
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'StatusNotRestored' }]);
  });
});

it('a pod does not get the status of the one it was', async () => {
  const pod = archivedObject(
    'v1',
    'Pod',
    { name: 'w' },
    {
      spec: {
        containers: [{ name: 'c', image: 'busybox' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'missing' } }],
      },
      status: { phase: 'Running', podIP: '10.0.0.9' },
    },
  );
  await restore([['pods', pod]], { restoreStatus: {} });
  expect(
    await cluster.get({ group: '', version: 'v1', resource: 'pods', namespace: 'shop', name: 'w' }),
  ).toMatchObject({ status: { phase: 'Pending' } });
});
