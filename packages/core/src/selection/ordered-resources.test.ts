import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../model/json.ts';
import { orderedResourcesOf, orderedResourcesViolations } from './ordered-resources.ts';

describe('orderedResources', () => {
  it.each<{ name: string; value: JsonValue | undefined; received: readonly unknown[] }>([
    { name: 'nothing', value: undefined, received: [] },
    { name: 'null', value: null, received: [] },
    { name: 'an empty text', value: { pods: '' }, received: [] },
    { name: 'names with blanks', value: { pods: 'shop/a, shop/b', nodes: 'n1' }, received: [] },
    { name: 'a name with colons', value: { clusterroles: 'system:reader' }, received: [] },
    { name: 'a list', value: ['pods'], received: [['pods']] },
    { name: 'a list of names', value: { pods: ['shop/a'] }, received: [['shop/a']] },
    { name: 'no resource', value: { ' ': 'shop/a' }, received: [' '] },
    { name: 'an empty entry', value: { pods: 'shop/a,,shop/b' }, received: [''] },
    {
      name: 'bad entries of two resources, and one twice',
      value: { pods: 'shop/a/b, Shop/a', secrets: 'shop/x,shop/,/x,shop/x,..' },
      received: ['shop/a/b', 'Shop/a', 'shop/', '/x', 'shop/x', '..'],
    },
  ])('all that is wrong is found at once: $name', ({ value, received }) => {
    expect(orderedResourcesViolations(value).map((violation) => violation.received)).toEqual(
      received,
    );
  });

  it('says where and what', () => {
    expect(orderedResourcesViolations({ pods: 'shop/a, shop/b c' })).toEqual([
      {
        path: 'spec.orderedResources.pods',
        rule: 'must be "<namespace>/<name>", or "<name>" of a cluster-scoped object, in entry 2',
        received: 'shop/b c',
      },
    ]);
  });

  it('is read in order', () => {
    expect([...orderedResourcesOf({ pods: 'shop/b, shop/a', nodes: 'n1', secrets: '' })]).toEqual([
      [
        'pods',
        [
          { namespace: 'shop', name: 'b' },
          { namespace: 'shop', name: 'a' },
        ],
      ],
      ['nodes', [{ name: 'n1' }]],
      ['secrets', []],
    ]);
  });
});
