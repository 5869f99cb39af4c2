import { describe, expect, it } from 'vitest';

import { type FilterKind, filterListViolations } from './filter-list-violations.ts';

const fields = { included: 'in', excluded: 'ex' };

function violated(kind: FilterKind, included: unknown, excluded: unknown): readonly string[] {
  const spec = JSON.parse(JSON.stringify({ in: included, ex: excluded })) as Record<string, string>;
  return filterListViolations(spec, fields, kind).map(({ path }) => path);
}

describe('filterListViolations', () => {
  it.each<[FilterKind, unknown, unknown, string[]]>([
    ['namespaces', undefined, undefined, []],
    ['namespaces', null, [], []],
    ['namespaces', ['*'], ['kube-system'], []],
    ['namespaces', ['shop', 'kube-*', 'a?', '[a-c]x', '1'], [], []],
    ['namespaces', ['*', 'shop'], [], ['spec.in']],
    ['namespaces', [], ['*'], ['spec.ex']],
    ['namespaces', ['shop'], ['shop'], ['spec.ex[0]']],
    ['namespaces', ['', 'A', 'a.b', '-a', 'a_b'], [], [0, 1, 2, 3, 4].map((n) => `spec.in[${n}]`)],
    [
      'namespaces',
      ['a**', '{a,b}', 'a|b', '(a)', '!a', '[!a]', 'a,b'],
      [],
      [0, 1, 2, 3, 4, 5, 6].map((n) => `spec.in[${n}]`),
    ],
    [
      'namespaces',
      ['a[', 'a]', '[]', '[[a]]', ']a['],
      [],
      [0, 1, 2, 3, 4].map((n) => `spec.in[${n}]`),
    ],
    ['namespaces', ['a'.repeat(64)], [], ['spec.in[0]']],
    ['namespaces', 'shop', [7], ['spec.in', 'spec.ex']],
    ['resources', ['*'], ['secrets'], []],
    ['resources', ['pods', 'Deployment', 'deploy*', '{a,b}.apps'], ['po'], []],
    ['resources', ['*', 'pods'], [], ['spec.in']],
    ['resources', [], ['*'], ['spec.ex']],
    ['resources', ['pods'], ['secrets', 'pods'], ['spec.ex[1]']],
    ['resources', ['', 'a b', 'pods/log', 'a,b'], [], [0, 1, 2, 3].map((n) => `spec.in[${n}]`)],
    ['scopedResources', [], ['*'], []],
    ['scopedResources', ['*'], ['nodes'], []],
    ['scopedResources', ['*', 'nodes'], [], ['spec.in']],
    ['scopedResources', [], ['*', 'nodes'], ['spec.ex']],
    ['scopedResources', ['nodes'], ['*'], ['spec.ex']],
    ['scopedResources', ['nodes'], ['nodes'], ['spec.ex[0]']],
  ])('%s: included %j, excluded %j', (kind, included, excluded, paths) => {
    expect(violated(kind, included, excluded)).toEqual(paths);
  });
});
