import { expect, it } from 'vitest';
import { BackupEntries } from './backup-entries.ts';
import { EntrySet } from './entry-set.ts';

const entries = new BackupEntries();
for (const [namespace, name] of [
  ['shop', 'web'],
  ['shop', 'db'],
  ['other', 'web'],
  ['shop', 'cache'],
] as const) {
  const selected = namespace === 'shop';
  entries.add({ groupResource: 'configmaps', namespace, name, selected, record: 7 });
}

it('an entry says what was said of it, and is found by its name', () => {
  const all = new BackupEntries();
  const config = { groupResource: 'configmaps', namespace: 'shop', name: 'web' };
  const node = { groupResource: 'nodes', name: 'n' };
  const token = { groupResource: 'secrets', namespace: 'shop', name: 'token' };
  all.add({ ...config, selected: true, record: 3 });
  all.add({ ...node, selected: false, record: 5 });
  all.add({ ...token, selected: false, isOnRequest: true, record: 4 });
  const expected = [
    { ...config, index: 0, selected: true },
    { ...node, index: 1, selected: false },
    { ...token, index: 2, selected: false, isOnRequest: true },
  ];
  expect([...all]).toEqual(expected);
  expect([config, node, token].map((identifier) => all.find(identifier))).toEqual(expected);
  expect(all.find({ ...node, name: 'm' })).toBeUndefined();
  expect([...all].map((entry) => all.recordOf(entry))).toEqual([3, 5, 4]);
});

it('holds each entry once, and goes through what is added meanwhile', () => {
  const set = new EntrySet(entries);
  const seen: string[] = [];
  set.add(entries.at(2));
  for (const entry of set.list()) {
    seen.push(`${entry.namespace}/${entry.name}`);
    set.add(entries.at(0));
    set.add(entries.at(2));
  }
  expect(seen).toEqual(['other/web', 'shop/web']);
  expect(set.size).toBe(2);
  expect(Array.from(entries, (entry) => set.has(entry))).toEqual([true, false, true, false]);
});

it('is divided by what is asked of its entries, and sorted by their names', () => {
  const set = new EntrySet(entries);
  for (const entry of entries) {
    set.add(entry);
  }
  const groups = set.list().groupBy(({ namespace }) => namespace);
  const names = Array.from(groups, ([namespace, list]) => [
    namespace,
    Array.from(list.sortedByName(), ({ name }) => name),
  ]);
  expect(names).toEqual([
    ['shop', ['cache', 'db', 'web']],
    ['other', ['web']],
  ]);
});
