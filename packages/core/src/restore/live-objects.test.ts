import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiResource, KubernetesManifest } from '../model/kubernetes.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { BackupEntries, type NewEntry } from './backup-entries.ts';
import type { EntryList } from './entry-list.ts';
import { EntrySet } from './entry-set.ts';
import { type JoinOptions, joinLiveObjects } from './live-objects.ts';

let cluster: FakeCluster;
let configMaps: ApiResource;

beforeEach(async () => {
  cluster = new FakeCluster();
  const { resources } = await cluster.discover();
  const found = resources.find(({ resource }) => resource === 'configmaps');
  if (found === undefined) {
    throw new Error('no configmaps');
  }
  configMaps = found;
  cluster.forgetRequests();
});

afterEach(() => cluster.close());

function entry(namespace: string, name: string): NewEntry {
  return { groupResource: 'configmaps', namespace, name, selected: true, record: 0 };
}

function entriesIn(namespace: string, count: number): readonly NewEntry[] {
  return Array.from({ length: count }, (_, index) => entry(namespace, `c-${index}`));
}

function listOf(entries: readonly NewEntry[]): EntryList {
  const all = new BackupEntries();
  entries.forEach((one) => all.add(one));
  const set = new EntrySet(all);
  for (const one of all) {
    set.add(one);
  }
  return set.list();
}

function configMap(namespace: string, name: string): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } };
}

function options(): Omit<JoinOptions, 'entries'> {
  return {
    cluster,
    resource: configMaps,
    targetNamespaceOf: (namespace) => namespace,
    isNew: () => false,
    signal: new AbortController().signal,
  };
}

async function join(
  entries: readonly NewEntry[],
  others: Partial<Omit<JoinOptions, 'entries'>> = {},
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const joined = joinLiveObjects({ ...options(), entries: listOf(entries), ...others });
  for await (const { entry: one, live } of joined) {
    const text =
      typeof live === 'string' ? live : `${live.metadata.namespace}/${live.metadata.name}`;
    found.set(`${one.namespace}/${one.name}`, text);
  }
  return found;
}

function lists(): readonly (string | undefined)[] {
  return cluster.requests
    .filter(({ operation }) => operation === 'list')
    .map(({ namespace }) => namespace);
}

describe('joinLiveObjects', () => {
  it('finds each object by one list of its namespace', async () => {
    cluster.seed([configMap('shop', 'c-3'), configMap('shop', 'zz'), configMap('other', 'c-4')]);
    const found = await join(entriesIn('shop', 10));
    expect(found.get('shop/c-3')).toBe('shop/c-3');
    expect([...found.values()].filter((live) => live === 'absent')).toHaveLength(9);
    expect(lists()).toEqual(['shop']);
  });

  it('keeps to the order of the API server, in which shop-eu comes before shop', async () => {
    cluster.seed([configMap('shop', 'c-0'), configMap('shop-eu', 'c-1'), configMap('shop', 'c-9')]);
    const found = await join([...entriesIn('shop', 10), ...entriesIn('shop-eu', 5)]);
    expect(found.get('shop/c-0')).toBe('shop/c-0');
    expect(found.get('shop/c-9')).toBe('shop/c-9');
    expect(found.get('shop-eu/c-1')).toBe('shop-eu/c-1');
    expect(lists()).toEqual(['shop-eu', 'shop']);
  });

  it('lists all of a kind once when the entries lie in many namespaces', async () => {
    cluster.seed([configMap('n-3', 'c-0')]);
    const entries = Array.from({ length: 9 }, (_, index) => entry(`n-${index}`, 'c-0'));
    expect((await join(entries)).get('n-3/c-0')).toBe('n-3/c-0');
    expect(lists()).toEqual([undefined]);
  });

  it('lists many namespaces one by one when each holds many of the entries', async () => {
    cluster.seed([configMap('n-3', 'c-0'), configMap('other', 'c-0')]);
    const namespaces = Array.from({ length: 9 }, (_, index) => `n-${index}`);
    const found = await join(namespaces.flatMap((namespace) => entriesIn(namespace, 50)));
    expect(found.get('n-3/c-0')).toBe('n-3/c-0');
    expect([...found.values()].filter((live) => live === 'absent')).toHaveLength(449);
    expect(lists()).toEqual(namespaces);
  });

  it('reads the list of the next namespace while it goes through one, and no further ones', async () => {
    cluster.seed([configMap('a', 'c-0'), configMap('b', 'c-0'), configMap('c', 'c-0')]);
    const entries = ['a', 'b', 'c'].flatMap((namespace) => entriesIn(namespace, 5));
    const joined = joinLiveObjects({ ...options(), entries: listOf(entries) });
    await joined.next();
    expect(lists()).toEqual(['a', 'b']);
    await joined.return(undefined);
    expect(lists()).toEqual(['a', 'b']);
  });

  it('looks in the namespace that a mapping names', async () => {
    cluster.seed([configMap('copy', 'c-1')]);
    const found = await join(entriesIn('shop', 8), { targetNamespaceOf: () => 'copy' });
    expect(found.get('shop/c-1')).toBe('copy/c-1');
  });

  it('asks nothing about a namespace that is new, about a few entries, or about what is not served', async () => {
    const isNew = (namespace: string): boolean => namespace === 'new';
    const found = await join([...entriesIn('new', 20), ...entriesIn('shop', 7)], { isNew });
    expect(found.get('new/c-0')).toBe('absent');
    expect(found.get('shop/c-0')).toBe('unknown');
    expect((await join(entriesIn('shop', 9), { resource: undefined })).get('shop/c-0')).toBe(
      'unknown',
    );
    expect(lists()).toEqual([]);
  });

  it('does not know what stands there when the list fails', async () => {
    cluster.faults.inject({ operation: 'list', resource: 'configmaps', error: 'Forbidden' });
    expect(new Set((await join(entriesIn('shop', 9))).values())).toEqual(new Set(['unknown']));
  });

  it('rejects when it is aborted', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(join(entriesIn('shop', 9), { signal: controller.signal })).rejects.toThrow(
      'enough',
    );
  });
});
