import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BackupOptions } from '../backup/request.ts';
import type { BackupSpec } from '../model/backup.ts';
import {
  describeObject,
  type GroupVersionResource,
  groupResourceOf,
  type KubernetesManifest,
  type StringMap,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';

const excluded = { 'velero.io/exclude-from-backup': 'true' };
const wanted = 'secrets shop/wanted';

describe('an additional item that must be included', () => {
  it.each<[string, BackupSpec, BackupOptions, StringMap]>([
    ['a resource that is not included', { includedResources: ['configmaps'] }, {}, {}],
    ['a resource that is excluded', { excludedResources: ['secrets'] }, {}, {}],
    ['the exclude label', {}, {}, excluded],
    [
      'a label selector and the exclude label',
      { labelSelector: { matchLabels: { app: 'web' } } },
      {},
      excluded,
    ],
    ['a predicate', {}, { include: ({ name }) => name !== 'wanted' }, {}],
    [
      'the filters of a resource policy',
      {},
      {
        resourcePolicy: {
          version: 'v1',
          includeExcludePolicy: { excludedNamespaceScopedResources: ['secrets'] },
        },
      },
      {},
    ],
  ])(
    'is stored in spite of %s, and left out where it need not be',
    async (_what, filter, options, labels) => {
      const objects = [configMap('a', { app: 'web' }), secret('wanted', labels)];
      const spec = { includedNamespaces: ['shop'], ...filter };
      const plain = await backUp(objects, [asking('a', wanted, false)], spec, options);
      expect(plain).not.toContain(wanted);
      const stored = await backUp(objects, [asking('a', wanted, true)], spec, options);
      expect(stored.filter((name) => name === wanted)).toEqual([wanted]);
      expect(stored.indexOf(wanted)).toBeLessThan(stored.indexOf('configmaps shop/a'));
    },
  );

  it('is stored from a namespace that is not selected, or of a cluster-scoped resource that is excluded', async () => {
    const storageClass = {
      ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'slow' } },
    };
    const stored = await backUp(
      [configMap('a'), secret('wanted', {}, 'other'), storageClass],
      [
        asking('a', 'secrets other/wanted', true),
        asking('a', 'storageclasses.storage.k8s.io slow', true),
      ],
      { includedNamespaces: ['shop'], includeClusterResources: false },
    );
    expect(stored).toContain('secrets other/wanted');
    expect(stored).toContain('storageclasses.storage.k8s.io slow');
  });

  it('stays out while it is being deleted', async () => {
    const going = secret('wanted');
    const deleting = {
      ...going,
      metadata: {
        ...going.metadata,
        deletionTimestamp: '2026-01-02T03:04:05Z',
        finalizers: ['example.com/hold'],
      },
    };
    const stored = await backUp([configMap('a'), deleting], [asking('a', wanted, true)]);
    expect(stored).not.toContain(wanted);
  });

  it('pulls along only what passes the filters', async () => {
    const stored = await backUp(
      [configMap('a'), configMap('b', excluded), secret('wanted', excluded)],
      [asking('a', 'configmaps shop/b', true), asking('b', wanted, false)],
    );
    expect(stored).toContain('configmaps shop/b');
    expect(stored).not.toContain(wanted);
  });
});

/** Of the ConfigMaps `a` to `z`, in their order: `may` asks for the object by the way, `must` insists. */
const askers: readonly (readonly [string, Readonly<Record<string, boolean>>])[] = [
  ['one that may before one that must', { a: false, c: true }],
  ['one that must before one that may', { a: true, c: false }],
  ['two that must', { a: true, c: true }],
  ['one that may between', { a: true, b: false, c: true }],
  ['one that must between', { a: false, b: true, c: false }],
];

describe.each([1, 2, 8])('with actions for %i objects at a time', (itemActions) => {
  it.each(askers)('an object that several ask for is stored once: %s', async (_what, asks) => {
    for (const target of ['secrets shop/wanted', 'configmaps shop/bb', 'configmaps shop/aa']) {
      const objects = [
        ...['a', 'b', 'c', 'd'].map((name) => configMap(name)),
        ...[configMap('aa', excluded), configMap('bb', excluded), secret('wanted', excluded)],
      ];
      const actions = Object.entries(asks).map(([name, must]) => asking(name, target, must));
      const spec = { includedNamespaces: ['shop'], includedResources: ['configmaps', 'secrets'] };
      const stored = await backUp(objects, actions, spec, {}, itemActions);
      const inOrder = await backUp(objects, actions, spec, {}, 1);
      expect(stored).toEqual(inOrder);
      expect(stored.filter((name) => name === target)).toEqual([target]);
    }
  });

  it('a skipped object that others insist on is skipped once', async () => {
    const objects = ['a', 'b', 'c'].map((name) => configMap(name));
    const skipped: string[] = [];
    const skipping: BackupItemAction = {
      name: 'example.com/skip',
      appliesTo: { resources: ['secrets', 'configmaps'] },
      execute: async ({ item: { metadata } }) =>
        metadata.name === 'aa' && skipped.push('aa') > 0 ? { skip: 'not needed' } : {},
    };
    const target = 'configmaps shop/aa';
    const stored = await backUp(
      [...objects, configMap('aa', excluded)],
      [...['a', 'b', 'c'].map((name) => asking(name, target, true)), skipping],
      undefined,
      {},
      itemActions,
    );
    expect(stored).not.toContain(target);
    // In the plan, and in the backup.
    expect(skipped).toEqual(['aa', 'aa']);
  });
});

it.each([false, true])(
  'a Namespace that an action asks for is stored once (must: %s)',
  async (must) => {
    const stored = await backUp([configMap('a')], [asking('a', 'namespaces shop', must)]);
    expect(stored.filter((name) => name === 'namespaces shop')).toHaveLength(1);
  },
);

const resources: readonly GroupVersionResource[] = [
  ...[Resources.configMaps, Resources.namespaces, Resources.storageClasses],
  { group: '', version: 'v1', resource: 'secrets' },
];

/** Pulls an object, called `<resource> <namespace>/<name>`, along for a ConfigMap; slower where it need not be included. */
function asking(parent: string, target: string, must: boolean): BackupItemAction {
  const [groupResource = '', path = ''] = target.split(' ');
  const [name = '', namespace] = path.split('/').reverse();
  const resource = resources.find((one) => groupResourceOf(one) === groupResource);
  return {
    name: `example.com/for-${parent}-${path}`,
    appliesTo: { resources: ['configmaps'] },
    execute: async ({ item: { metadata } }) => {
      if (metadata.name !== parent || resource === undefined) {
        return {};
      }
      for (let left = must ? 0 : 5; left > 0; left -= 1) {
        await turnOfTheLoop();
      }
      return {
        additionalItems: [{ ...resource, namespace, name }],
        mustIncludeAdditionalItems: must,
      };
    },
  };
}

/** The stored objects in the order of the archive, which the plan has foretold. */
async function backUp(
  objects: readonly KubernetesManifest[],
  backupItemActions: readonly BackupItemAction[],
  spec: BackupSpec = { includedNamespaces: ['shop'] },
  options: BackupOptions = {},
  itemActions = 8,
): Promise<readonly string[]> {
  await using cluster = new FakeCluster();
  cluster.seed(['other', 'shop'].map(namespaceOf));
  cluster.seed(objects);
  const engine = createEngine({
    ...{ cluster, store: new MemoryObjectStore(), backupItemActions },
    concurrency: { itemActions },
  });
  const plan = await engine.planBackup({ name: 'first', spec }, options);
  const { issues, skipped } = await engine.backup({ name: 'first', spec }, options);
  expect(issues).toEqual([]);
  const stored = await Array.fromAsync(engine.catalog.listObjects('first'), describeObject);
  expect(plan.items.map(describeObject)).toEqual(stored);
  expect(plan.skipped).toEqual(skipped);
  return stored;
}

function namespaceOf(name: string): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function configMap(name: string, labels: StringMap = {}): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name, labels } };
}

function secret(name: string, labels: StringMap = {}, namespace = 'shop'): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, labels } };
}
