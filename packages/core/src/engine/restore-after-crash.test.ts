import { expect, it } from 'vitest';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { archivedObject, storeBackup } from '../restore/stored-backup-fixture.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import { KillPoint } from './kill-point-fixture.ts';

const definition = archivedObject(
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
const objects: readonly (readonly [resource: string, object: KubernetesObject])[] = [
  ['customresourcedefinitions', definition],
  ['namespaces', archivedObject('v1', 'Namespace', { name: 'shop', namespace: undefined })],
  ['configmaps', archivedObject('v1', 'ConfigMap', { name: 'settings' }, { data: { a: 'b' } })],
  ['secrets', archivedObject('v1', 'Secret', { name: 'key' }, { data: { k: 'dg==' } })],
  [
    'services',
    archivedObject(
      'v1',
      'Service',
      { name: 'web' },
      { spec: { clusterIP: '10.0.0.1', ports: [{ port: 80 }] } },
    ),
  ],
  ['gizmos', archivedObject('example.com/v1', 'Gizmo', { name: 'one' }, { spec: { size: 1 } })],
];
const listed = [
  { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' },
  ...['configmaps', 'secrets', 'services'].map((resource) => ({
    group: '',
    version: 'v1',
    resource,
  })),
  { group: 'example.com', version: 'v1', resource: 'gizmos' },
];

/** `<kind> <name>` → uid of what a restore has made. */
async function made(cluster: FakeCluster): Promise<ReadonlyMap<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  const { resources } = await cluster.discover();
  for (const resource of listed) {
    if (resources.some((served) => served.resource === resource.resource)) {
      const options = { labelSelector: 'velero.io/backup-name=shop' };
      for await (const { kind, metadata } of cluster.list(resource, options)) {
        found.set(`${kind} ${metadata.name}`, metadata.uid);
      }
    }
  }
  return found;
}

/** Restores until the process dies, restores again, and returns how many calls that write the first restore has made. */
async function restoreTwice(at: number, when: 'before' | 'after'): Promise<number> {
  await using cluster = new FakeCluster();
  const store = new MemoryObjectStore();
  await storeBackup(store, { name: 'shop', objects });
  const process = new KillPoint({ at, when, die: () => undefined });
  const mortal = createEngine({ cluster: process.cluster(cluster), store: process.store(store) });
  const request = { spec: { backupName: 'shop' } };
  try {
    await mortal.restore({ name: 'first', ...request });
  } catch (error) {
    if (!process.hasDied) {
      throw error;
    }
  }
  await cluster.settle();
  const before = await made(cluster);

  const { issues, restore } = await createEngine({ cluster, store }).restore({
    name: 'second',
    ...request,
  });
  expect({ issues, phase: restore.status.phase }).toEqual({ issues: [], phase: 'Completed' });
  const after = await made(cluster);
  expect([...after.keys()].toSorted()).toEqual([
    'ConfigMap settings',
    'CustomResourceDefinition gizmos.example.com',
    'Gizmo one',
    'Secret key',
    'Service web',
  ]);
  for (const [name, uid] of before) {
    expect(after.get(name)).toBe(uid);
  }
  return process.calls.length;
}

it.each(['before', 'after'] as const)(
  'a restore that is killed %s any call that writes is finished by the next one, which does nothing twice',
  { timeout: 60_000 },
  async (when) => {
    const calls = await restoreTwice(1_000, when);
    expect(calls).toBeGreaterThan(objects.length);
    for (let at = 0; at < calls; at += 1) {
      await restoreTwice(at, when);
    }
  },
);
