import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StoredNames } from './stored-names.ts';

it('has the names that were added, by kind and in their order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('v1/Pod', 'v1/Secret'), fc.string({ unit: 'grapheme' }))),
      (added) => {
        const names = new StoredNames();
        const expected = new Map<string, string[]>();
        for (const [kind, name] of added) {
          expect(names.has(kind, name)).toBe(expected.get(kind)?.includes(name) ?? false);
          names.add(kind, name);
          expected.set(kind, [...(expected.get(kind) ?? []), name]);
          expect(names.has(kind, name)).toBe(true);
        }
        expect(Array.from(names, ([kind, list]) => [kind, [...list]])).toEqual([...expected]);
      },
    ),
  );
});

it('has many names, and ones of any length', () => {
  const added = Array.from({ length: 20_000 }, (_, index) => `namespace-${index % 7}/ö-${index}`);
  added.push('', 'long'.repeat(50_000), 'after');
  const names = new StoredNames();
  for (const name of added) {
    names.add('v1/ConfigMap', name);
  }
  const [[, list = []] = []] = names;
  expect([...list]).toEqual(added);
  expect(names.has('v1/ConfigMap', 'after')).toBe(true);
  expect(names.has('v1/ConfigMap', 'namespace-0/ö')).toBe(false);
});
