import { describe, expect, it } from 'vitest';

import type { Issue } from '../../model/issue.ts';
import { resultsOf } from './results.ts';

const pod = { groupResource: 'pods', namespace: 'shop', name: 'web' };

function issue(parts: Partial<Issue>): Issue {
  return { severity: 'error', reason: 'ItemFailed', message: 'it broke', ...parts };
}

describe('resultsOf', () => {
  it.each<[string, readonly Issue[], object]>([
    ['nothing', [], { errors: {}, warnings: {} }],
    [
      'an error of the run',
      [issue({})],
      { errors: { velero: [' message: /it broke'] }, warnings: {} },
    ],
    [
      'a warning about a namespaced object',
      [issue({ severity: 'warning', object: pod })],
      {
        errors: {},
        warnings: { namespaces: { shop: [' resource: /pods name: /web message: /it broke'] } },
      },
    ],
    [
      'an error about a cluster-scoped object',
      [issue({ object: { groupResource: 'persistentvolumes', name: 'pv-1' } })],
      {
        errors: { cluster: [' resource: /persistentvolumes name: /pv-1 message: /it broke'] },
        warnings: {},
      },
    ],
  ])('tells of %s', (_what, issues, results) => {
    expect(resultsOf(issues)).toEqual(results);
  });

  it('keeps the order of issues within a namespace and sorts the namespaces', () => {
    const { errors } = resultsOf([
      issue({ object: { ...pod, namespace: 'b', name: '2' } }),
      issue({ object: { ...pod, namespace: 'a', name: '1' } }),
      issue({ object: { ...pod, namespace: 'b', name: '1' } }),
    ]);
    expect(JSON.stringify(errors)).toBe(
      '{"namespaces":{"a":[" resource: /pods name: /1 message: /it broke"],' +
        '"b":[" resource: /pods name: /2 message: /it broke"," resource: /pods name: /1 message: /it broke"]}}',
    );
  });

  it('takes a namespace named like a property of every object for an ordinary one', () => {
    const { errors } = resultsOf([issue({ object: { ...pod, namespace: 'constructor' } })]);
    expect(errors).toEqual({
      namespaces: { constructor: [' resource: /pods name: /web message: /it broke'] },
    });
  });
});
