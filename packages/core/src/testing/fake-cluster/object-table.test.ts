import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { ObjectTable, parseTableKey, tableKey } from './object-table.ts';

function object(namespace: string, name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } };
}

describe('ObjectTable', () => {
  it('gives every change a revision of its own, across tables', () => {
    const table = new ObjectTable();
    const first = table.put('a', object('n', 'x'));
    const second = table.put('b', object('n', 'x'));
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(
      Number(first.metadata.resourceVersion),
    );
  });

  it('keeps the order of etcd, in which a dash comes before a slash', () => {
    const table = new ObjectTable();
    for (const namespace of ['shop', 'shop-copy', 'a']) {
      table.put('t', object(namespace, 'x'));
    }
    const namespaces = table.state('t').objects.map(({ metadata }) => metadata.namespace);
    expect(namespaces).toEqual(['a', 'shop-copy', 'shop']);
  });

  it('hands out states that later changes leave alone', () => {
    const table = new ObjectTable();
    const stored = table.put('t', object('n', 'x'));
    const { objects } = table.state('t');
    table.remove('t', stored);
    expect(objects).toEqual([stored]);
    expect(table.state('t').objects).toEqual([]);
  });

  it('remembers the changes after a revision, with what was before', () => {
    const table = new ObjectTable();
    const first = table.put('t', object('n', 'x'));
    const second = table.put('t', first);
    table.remove('t', second);
    const changes = table.changesAfter('t', Number(first.metadata.resourceVersion));
    expect(changes).toMatchObject([
      { previous: first, object: second, removed: false },
      { previous: second, removed: true },
    ]);
  });

  it('forgets what was before a compaction', () => {
    const table = new ObjectTable();
    const { revision } = table;
    table.compact();
    expect(table.changesAfter('t', revision)).toBeUndefined();
    expect(table.changesAfter('t', table.revision)).toEqual([]);
  });

  it('forgets the oldest changes when there are too many', () => {
    const table = new ObjectTable();
    const { revision } = table;
    for (let count = 0; count <= 20_000; count += 1) {
      table.put('t', object('n', 'x'));
    }
    expect(table.changesAfter('t', revision)).toBeUndefined();
    expect(table.changesAfter('t', table.revision - 100)).toHaveLength(100);
  });

  it.each([
    ['n', 'x'],
    [undefined, 'x'],
  ])('reads the key of %s and %s back', (namespace, name) => {
    expect(parseTableKey(tableKey(namespace, name))).toEqual(
      namespace === undefined ? { name } : { namespace, name },
    );
  });
});
