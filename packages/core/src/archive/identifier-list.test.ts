import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { identifierKey, type ResourceIdentifier } from '../model/kubernetes.ts';
import { IdentifierList } from './identifier-list.ts';

const mebibyte = 1_048_576;

setFlagsFromString('--expose-gc');

function bytesInUse(): number {
  runInNewContext('gc()');
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A list of many identifiers, and how much memory it takes. */
function listOf(
  count: number,
  identifier: (index: number) => ResourceIdentifier,
): { readonly list: IdentifierList; readonly bytes: number } {
  const before = bytesInUse();
  const list = new IdentifierList();
  for (let index = 0; index < count; index += 1) {
    list.add(identifier(index));
  }
  return { list, bytes: bytesInUse() - before };
}

const identifiers: fc.Arbitrary<ResourceIdentifier[]> = fc.array(
  fc.record(
    {
      groupResource: fc.constantFrom('pods', 'deployments.apps'),
      namespace: fc.constantFrom('shop', 'größe'),
      name: fc.constantFrom('a', 'b', 'c', 'd', 'ö'),
    },
    { requiredKeys: ['groupResource', 'name'] },
  ),
);

it('has the identifiers that were added, each where it was added last', () => {
  fc.assert(
    fc.property(identifiers, (added) => {
      const list = new IdentifierList();
      const positions = new Map<string, number>();
      for (const identifier of added) {
        expect(list.find(identifier)).toBe(positions.get(identifierKey(identifier)));
        positions.set(identifierKey(identifier), list.add(identifier));
      }
      expect(list.length).toBe(added.length);
      added.forEach((identifier, index) => {
        expect(list.at(index)).toEqual(identifier);
        expect(list.find(identifier)).toBe(positions.get(identifierKey(identifier)));
      });
    }),
  );
});

it('adds what is new, in order or not, and nothing twice', () => {
  fc.assert(
    fc.property(identifiers, (added) => {
      const list = new IdentifierList();
      const keys = new Set<string>();
      for (const identifier of added) {
        const expected = keys.has(identifierKey(identifier)) ? undefined : keys.size;
        expect(list.addNew(identifier)).toBe(expected);
        keys.add(identifierKey(identifier));
      }
      expect(list.length).toBe(keys.size);
    }),
  );
});

it('does not keep the texts that names were cut out of', () => {
  const { list, bytes } = listOf(64, (index) => {
    const path = `a-name-that-is-long-enough-${index} ${'x'.repeat(mebibyte)}`;
    const name = path.slice(0, path.indexOf(' '));
    return { groupResource: name, namespace: name, name };
  });
  expect(list).toHaveLength(64);
  expect(bytes).toBeLessThan(16 * mebibyte);
});

it('keeps the names of resources and namespaces once', () => {
  const namespace = (): string => Buffer.alloc(4_096, 'n').toString('latin1');
  const { list, bytes } = listOf(10_000, (index) => ({
    groupResource: namespace(),
    namespace: namespace(),
    name: String(index),
  }));
  expect(list).toHaveLength(10_000);
  expect(bytes).toBeLessThan(16 * mebibyte);
});
