import { describe, expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import type { BackupSpec } from '../model/backup.ts';
import { type ApiResource, type KubernetesManifest, referenceTo } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { BackupRecord } from './backup-record.ts';
import { scopeOf } from './backup-scope.ts';
import { type CollectedItem, ItemCollector } from './item-collector.ts';
import { acceptBackupRequest } from './request.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

const widgetDefinition: KubernetesManifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
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
};

describe('ItemCollector', () => {
  it('yields the objects of the selected namespaces once, pods and claims first', async () => {
    await using cluster = await clusterWith(
      configMap('shop', 'b'),
      configMap('shop', 'a'),
      configMap('other', 'c'),
      claim('shop', 'data'),
    );
    const { collector } = await collectorOf(cluster, { includedNamespaces: ['shop'] });
    const names = (await Array.fromAsync(collector.items())).map(nameOf);
    expect(
      names.filter((name) => name.startsWith('configmaps shop/') && !name.includes('kube-root')),
    ).toEqual(['configmaps shop/a', 'configmaps shop/b']);
    expect(names[0]).toBe('persistentvolumeclaims shop/data');
    expect(names.filter((name) => name.includes(' other/'))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('knows what it has passed while it lists and afterwards', async () => {
    await using cluster = await clusterWith(configMap('shop', 'a'), configMap('shop', 'b'));
    const { collector } = await collectorOf(cluster, { includedNamespaces: ['shop'] });
    const passed = async (name: string): Promise<boolean> => {
      const object = await cluster.get({ ...configMaps, namespace: 'shop', name });
      return object !== undefined && collector.hasPassed(referenceTo(configMaps, object), object);
    };
    const seen: [string, boolean, boolean][] = [];
    expect(await passed('a')).toBe(false);
    for await (const item of collector.items()) {
      if (item.resource.resource === 'configmaps' && item.object.metadata.name.length === 1) {
        seen.push([item.object.metadata.name, await passed('a'), await passed('b')]);
      }
    }
    expect(seen).toEqual([
      ['a', true, false],
      ['b', true, true],
    ]);
    expect(await passed('b')).toBe(true);
  });

  it('knows what it has passed in a list of every namespace, whose keys are ordered whole', async () => {
    await using cluster = await clusterWith(
      configMap('shop-eu', 'z'),
      configMap('shop', 'a'),
      configMap('shop', 'b'),
    );
    const { collector } = await collectorOf(cluster, { includedNamespaces: ['*'] });
    const seen: string[] = [];
    for await (const { object } of collector.items()) {
      const { name, namespace = '' } = object.metadata;
      if (object.kind === 'ConfigMap' && name.length === 1) {
        const passed: string[] = [];
        for (const [of, other] of [
          ['shop-eu', 'z'],
          ['shop', 'a'],
          ['shop', 'b'],
        ] as const) {
          const found = await cluster.get({ ...configMaps, namespace: of, name: other });
          if (found && collector.hasPassed(referenceTo(configMaps, found), found)) {
            passed.push(`${of}/${other}`);
          }
        }
        seen.push(`${namespace}/${name} after ${passed.join(' ')}`);
      }
    }
    expect(seen).toEqual([
      'shop-eu/z after shop-eu/z',
      'shop/a after shop-eu/z shop/a',
      'shop/b after shop-eu/z shop/a shop/b',
    ]);
  });

  it('has not passed what a failed list did not reach', async () => {
    await using cluster = await clusterWith(configMap('shop', 'a'));
    cluster.faults.inject({ operation: 'list', resource: 'configmaps', error: 'Forbidden' });
    const { collector } = await collectorOf(cluster, { includedNamespaces: ['shop'] });
    await Array.fromAsync(collector.items());
    const left = await cluster.get({ ...configMaps, namespace: 'shop', name: 'a' });
    expect(left && collector.hasPassed(referenceTo(configMaps, left), left)).toBe(false);
  });

  it('has not passed what the label selector leaves out', async () => {
    await using cluster = await clusterWith(
      configMap('shop', 'a', { app: 'web' }),
      configMap('shop', 'b'),
    );
    const { collector } = await collectorOf(cluster, {
      includedNamespaces: ['shop'],
      labelSelector: { matchLabels: { app: 'web' } },
    });
    expect((await Array.fromAsync(collector.items())).map(nameOf)).toEqual(['configmaps shop/a']);
    const left = await cluster.get({ ...configMaps, namespace: 'shop', name: 'b' });
    expect(left && collector.hasPassed(referenceTo(configMaps, left), left)).toBe(false);
  });

  it('yields what matches one of several selectors, once, and knows which of it has passed', async () => {
    await using cluster = await clusterWith(
      configMap('shop', 'a', { app: 'web', tier: 'front' }),
      configMap('shop', 'b', { tier: 'front' }),
      configMap('shop', 'c'),
      configMap('shop', 'd', { app: 'web' }),
    );
    const { collector } = await collectorOf(cluster, {
      includedNamespaces: ['shop'],
      orLabelSelectors: [{ matchLabels: { app: 'web' } }, { matchLabels: { tier: 'front' } }],
    });
    const passed = async (name: string): Promise<boolean> => {
      const object = await cluster.get({ ...configMaps, namespace: 'shop', name });
      return object !== undefined && collector.hasPassed(referenceTo(configMaps, object), object);
    };
    const seen: string[] = [];
    for await (const item of collector.items()) {
      const done = await Array.fromAsync(['a', 'b', 'c', 'd'], async (name) =>
        (await passed(name)) ? name : '',
      );
      seen.push(`${nameOf(item)} after ${done.join('')}`);
    }
    expect(seen).toEqual([
      'configmaps shop/a after a',
      'configmaps shop/d after ad',
      'configmaps shop/b after abd',
    ]);
    expect(await passed('b')).toBe(true);
    expect(await passed('c')).toBe(false);
  });

  it('has not passed what the failed one of several lists would have had', async () => {
    await using cluster = await clusterWith(
      configMap('shop', 'a', { app: 'web' }),
      configMap('shop', 'b', { tier: 'front' }),
    );
    const { collector, record } = await collectorOf(cluster, {
      includedNamespaces: ['shop'],
      includedNamespaceScopedResources: ['configmaps'],
      orLabelSelectors: [{ matchLabels: { app: 'web' } }, { matchLabels: { tier: 'front' } }],
    });
    cluster.faults.inject({
      operation: 'list',
      resource: 'configmaps',
      error: 'Forbidden',
      times: 1,
    });
    expect((await Array.fromAsync(collector.items())).map(nameOf)).toEqual(['configmaps shop/b']);
    expect(record.errors).toMatchObject([{ reason: 'ListFailed' }]);
    const passed = await Array.fromAsync(['a', 'b'], async (name) => {
      const object = await cluster.get({ ...configMaps, namespace: 'shop', name });
      return object && collector.hasPassed(referenceTo(configMaps, object), object);
    });
    expect(passed).toEqual([false, true]);
  });

  it('reports a resource that cannot be listed and goes on with the others', async () => {
    await using cluster = await clusterWith(configMap('shop', 'a'), claim('shop', 'data'));
    cluster.faults.inject({
      operation: 'list',
      resource: 'configmaps',
      error: 'Forbidden',
      times: 1,
    });
    const { collector, record } = await collectorOf(cluster, { includedNamespaces: ['shop'] });
    const names = (await Array.fromAsync(collector.items())).map(nameOf);
    expect(names).toContain('persistentvolumeclaims shop/data');
    expect(names).not.toContain('configmaps shop/a');
    expect(record.errors).toMatchObject([{ reason: 'ListFailed' }]);
    expect(record.errors[0]?.message).toContain('configmaps in namespace shop');
  });

  it('takes a resource that vanished while it listed for one without objects', async () => {
    await using cluster = await clusterWith(claim('shop', 'data'), widgetDefinition);
    const { collector, record } = await collectorOf(cluster, { includedNamespaces: ['shop'] });
    await cluster.delete({ ...Resources.customResourceDefinitions, name: 'widgets.example.com' });
    await cluster.settle();
    const names = (await Array.fromAsync(collector.items())).map(nameOf);
    expect(names).toContain('persistentvolumeclaims shop/data');
    expect(record.issues).toEqual([]);
  });

  it('reports a resource that is served and cannot be found', async () => {
    await using cluster = await clusterWith(configMap('shop', 'a'));
    cluster.faults.inject({ operation: 'list', resource: 'configmaps', error: 'NotFound' });
    const { collector, record } = await collectorOf(cluster, { includedNamespaces: ['shop'] });
    await Array.fromAsync(collector.items());
    expect(record.errors).toMatchObject([{ reason: 'ListFailed' }]);
  });

  it('says so when a list is not of one point in time', async () => {
    await using cluster = await clusterWith(
      ...Array.from({ length: 600 }, (_, index) =>
        configMap('shop', `c-${String(index).padStart(4, '0')}`),
      ),
    );
    const { collector, record } = await collectorOf(cluster, { includedNamespaces: ['shop'] });
    let count = 0;
    for await (const { resource } of collector.items()) {
      if (resource.resource === 'configmaps' && count++ === 0) {
        cluster.compact();
      }
    }
    expect(count).toBe(601);
    expect(record.warnings).toMatchObject([{ reason: 'ListNotAtomic' }]);
  });

  it('begins the lists that come next, as many as it may, whatever their resource and namespace', async () => {
    await using cluster = await clusterWith(configMap('other', 'a'), configMap('shop', 'b'));
    const spec = {
      includedNamespaces: ['other', 'shop'],
      includedResources: ['configmaps', 'secrets'],
    };
    const { collector, resources } = await collectorOf(cluster, spec, { lists: 3 });
    const before = listsOf(cluster).length;
    const [first, second] = resources;
    const items = first && collector.itemsOf(first, second && [second])[Symbol.asyncIterator]();
    await items?.next();
    await cluster.settle();
    expect(listsOf(cluster).slice(before)).toEqual([
      'configmaps other',
      'configmaps shop',
      'secrets other',
    ]);
    await items?.return?.();
    await collector.close();
  });

  it('reads nothing ahead unless it is told what comes next', async () => {
    await using cluster = await clusterWith(configMap('other', 'a'), configMap('shop', 'b'));
    const spec = { includedNamespaces: ['other', 'shop'], includedResources: ['configmaps'] };
    const { collector, resources } = await collectorOf(cluster, spec, { lists: 3 });
    const before = listsOf(cluster).length;
    const items = resources[0] && collector.itemsOf(resources[0])[Symbol.asyncIterator]();
    await items?.next();
    await cluster.settle();
    expect(listsOf(cluster).slice(before)).toEqual(['configmaps other']);
  });

  it.each([1, 2, 3, 50])(
    'yields the same in the same order with %i lists at a time',
    async (lists) => {
      await using cluster = await clusterWith(
        ...['a', 'b', 'c'].flatMap((name) => [configMap('shop', name), configMap('other', name)]),
        claim('shop', 'data'),
        claim('other', 'data'),
      );
      // Of the lists that are under way at the same time one fails.
      cluster.faults.inject({ operation: 'list', resource: 'secrets', error: 'Forbidden' });
      const plain = await collectorOf(cluster, {});
      const { collector, record, resources } = await collectorOf(cluster, {}, { lists });
      const found: CollectedItem[] = [];
      for (const [index, resource] of resources.entries()) {
        found.push(
          ...(await Array.fromAsync(collector.itemsOf(resource, resources.slice(index + 1)))),
        );
      }
      const expected = await Array.fromAsync(plain.collector.items());
      expect(found.map(nameOf)).toEqual(expected.map(nameOf));
      expect(record.issues).toEqual(plain.record.issues);
      expect(record.errors).toMatchObject([{ reason: 'ListFailed' }]);
    },
  );
});

async function collectorOf(
  cluster: FakeCluster,
  spec: BackupSpec,
  options: { readonly lists?: number } = {},
): Promise<{
  readonly collector: ItemCollector;
  readonly record: BackupRecord;
  readonly resources: readonly ApiResource[];
}> {
  const { signal } = new AbortController();
  const record = new BackupRecord(() => {}, silentLogger);
  const backup = acceptBackupRequest({ name: 'test', spec }, new Date(0));
  const scope = await scopeOf({ cluster, backup, record, signal });
  const collector = new ItemCollector({ cluster, scope, record, signal, ...options });
  return { collector, record, resources: scope.resources };
}

function listsOf(cluster: FakeCluster): readonly string[] {
  return cluster.requests
    .filter(({ operation }) => operation === 'list')
    .map(({ resource, namespace = '' }) => `${resource} ${namespace}`);
}

async function clusterWith(...objects: readonly KubernetesManifest[]): Promise<FakeCluster> {
  const cluster = new FakeCluster();
  for (const name of ['shop', 'other']) {
    await cluster.create(Resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    });
  }
  await cluster.settle();
  cluster.seed(objects);
  return cluster;
}

function configMap(namespace: string, name: string, labels = {}): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels } };
}

function claim(namespace: string, name: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: {},
  };
}

function nameOf({ resource, object }: CollectedItem): string {
  return `${resource.resource} ${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
