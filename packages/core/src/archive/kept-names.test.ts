import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import { KeptNames } from './kept-names.ts';

const mebibyte = 1_048_576;

setFlagsFromString('--expose-gc');

function bytesInUse(): number {
  runInNewContext('gc()');
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What is kept of many identifiers, and how much memory that takes. */
function memoryOf(
  count: number,
  identifier: (index: number) => ResourceIdentifier,
): { readonly kept: readonly ResourceIdentifier[]; readonly bytes: number } {
  const names = new KeptNames();
  const before = bytesInUse();
  const kept = Array.from({ length: count }, (_, index) => names.kept(identifier(index)));
  return { kept, bytes: bytesInUse() - before };
}

it('keeps the names as they were', () => {
  const names = new KeptNames();
  const inNamespace = { groupResource: 'deployments.apps', namespace: 'größe', name: 'web' };
  expect(names.kept(inNamespace)).toEqual(inNamespace);
  expect(names.kept({ groupResource: 'nodes', name: 'n' })).toEqual({
    groupResource: 'nodes',
    name: 'n',
  });
});

it('does not keep the texts that names were cut out of', () => {
  const { kept, bytes } = memoryOf(64, (index) => {
    const path = `a-name-that-is-long-enough-${index} ${'x'.repeat(mebibyte)}`;
    const name = path.slice(0, path.indexOf(' '));
    return { groupResource: name, namespace: name, name };
  });
  expect(kept).toHaveLength(64);
  expect(bytes).toBeLessThan(16 * mebibyte);
});

it('keeps the names of resources and namespaces once', () => {
  const namespace = (): string => Buffer.alloc(4_096, 'n').toString('latin1');
  const { kept, bytes } = memoryOf(10_000, (index) => ({
    groupResource: namespace(),
    namespace: namespace(),
    name: String(index),
  }));
  expect(kept).toHaveLength(10_000);
  expect(bytes).toBeLessThan(16 * mebibyte);
});
