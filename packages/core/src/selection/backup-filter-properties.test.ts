import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackupSpec, LabelSelector } from '../model/backup.ts';
import { type ApiResource, groupResourceOf } from '../model/kubernetes.ts';
import {
  formatLabelSelector,
  matchesLabelSelector,
  parseLabelSelector,
} from '../model/label-selector.ts';
import { createBackupFilter } from './backup-filter.ts';
import { completeBackupSpec } from './backup-request.ts';
import { createGlob } from './glob.ts';
import { labelSelectorsOf } from './label-selectors-of.ts';

const served = [
  resource('', 'pods', true),
  resource('', 'secrets', true),
  resource('apps', 'deployments', true),
  resource('', 'namespaces', false),
  resource('', 'nodes', false),
  resource('example.com', 'gizmos', false),
];
const live = ['a', 'b', 'ab'];

/** The plain meaning of a pattern of letters, dots and stars, by recursion instead of a compiled matcher. */
function globMatches(pattern: string, name: string): boolean {
  const [first] = pattern;
  if (first === undefined) {
    return name === '';
  }
  if (first === '*') {
    return (
      globMatches(pattern.slice(1), name) || (name !== '' && globMatches(pattern, name.slice(1)))
    );
  }
  return (
    name !== '' &&
    (first === '?' || first === name[0]) &&
    globMatches(pattern.slice(1), name.slice(1))
  );
}

function anyMatches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => globMatches(pattern, name));
}

const namespaces = fc.uniqueArray(fc.constantFrom('a', 'b', 'ab', 'gone', 'a*', '?', 'x*'), {
  maxLength: 2,
});
const resources = fc.uniqueArray(
  fc.constantFrom(
    'pods',
    'secrets',
    'deployments.apps',
    'nodes',
    'gizmos.example.com',
    'd*',
    '*s',
    'x*',
  ),
  { maxLength: 2 },
);

describe('a glob', () => {
  it('matches as its plain meaning does', () => {
    const name = fc
      .string({ unit: fc.constantFrom('a', 'b', '.', '-'), minLength: 1, maxLength: 6 })
      .filter((one) => /^[ab](?:.*[ab])?$/.test(one));
    const pattern = fc
      .string({ unit: fc.constantFrom('a', 'b', '.', '-', '*', '?'), minLength: 1, maxLength: 6 })
      .filter((one) => !one.includes('**'));
    fc.assert(
      fc.property(pattern, name, (one, candidate) => {
        expect(createGlob(one, { braces: false })(candidate)).toBe(globMatches(one, candidate));
      }),
    );
  });
});

describe('a backup filter', () => {
  it('selects the namespaces and resources of one scope that the spec describes', () => {
    fc.assert(
      fc.property(
        namespaces,
        namespaces,
        resources,
        resources,
        resources,
        resources,
        (...lists) => {
          const [included, excluded, inNamespaced, exNamespaced, inCluster, exCluster] = lists;
          const spec: BackupSpec = {
            includedNamespaces: included,
            excludedNamespaces: excluded,
            includedNamespaceScopedResources: inNamespaced,
            excludedNamespaceScopedResources: exNamespaced,
            includedClusterScopedResources: inCluster,
            excludedClusterScopedResources: exCluster,
          };
          const filter = filterOf(spec);
          const takesNamespace = (name: string): boolean =>
            (included.length === 0 || anyMatches(included, name)) && !anyMatches(excluded, name);
          expect(filter.namespaces.names).toEqual(live.filter(takesNamespace));

          const isFull =
            filter.namespaces.includesEverything &&
            lists.slice(1).every((list) => list.length === 0);
          for (const one of served) {
            const name = groupResourceOf(one);
            const expected = one.namespaced
              ? (inNamespaced.length === 0 || anyMatches(inNamespaced, name)) &&
                !anyMatches(exNamespaced, name)
              : !anyMatches(exCluster, name) &&
                (isFull || name === 'namespaces' || anyMatches(inCluster, name));
            expect(filter.includesResource(one)).toBe(expected);
          }
        },
      ),
    );
  });

  it('selects the resources of both scopes that the spec describes', () => {
    const switches = fc.constantFrom(true, false, undefined);
    fc.assert(
      fc.property(resources, resources, switches, fc.boolean(), (included, excluded, all, some) => {
        fc.pre(included.length + excluded.length > 0 || all !== undefined);
        const filter = filterOf({
          ...(some && { includedNamespaces: ['a'] }),
          includedResources: included,
          excludedResources: excluded,
          ...(all !== undefined && { includeClusterResources: all }),
        });
        for (const one of served) {
          const name = groupResourceOf(one);
          const listed =
            (included.length === 0 || anyMatches(included, name)) && !anyMatches(excluded, name);
          const inScope = one.namespaced || (all ?? (!some || name === 'namespaces'));
          expect(filter.includesResource(one)).toBe(listed && inScope);
        }
      }),
    );
  });

  it('decides the same of a spec and of what it becomes when it is completed', () => {
    fc.assert(
      fc.property(namespaces, resources, resources, (included, inNamespaced, exCluster) => {
        const spec: BackupSpec = {
          includedNamespaces: included,
          includedNamespaceScopedResources: inNamespaced,
          excludedClusterScopedResources: exCluster,
        };
        const [before, after] = [spec, completeBackupSpec(spec)].map((one) => filterOf(one));
        expect(served.map((one) => before?.includesResource(one))).toEqual(
          served.map((one) => after?.includesResource(one)),
        );
        expect(before?.namespaces.names).toEqual(after?.namespaces.names);
      }),
    );
  });
});

describe('label selectors', () => {
  const key = fc.constantFrom('app', 'tier', 'example.com/x', 'constructor');
  const value = fc.constantFrom('', 'a', 'b', 'c.d');
  const labels = fc.dictionary(key, value, { maxKeys: 3 });
  const requirement = fc.oneof(
    fc.record({
      key,
      operator: fc.constantFrom('In' as const, 'NotIn' as const),
      values: fc.uniqueArray(value, { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
  );
  const selector: fc.Arbitrary<LabelSelector> = fc.record({
    matchLabels: fc.dictionary(key, value, { maxKeys: 2 }),
    matchExpressions: fc.array(requirement, { maxLength: 2 }),
  });

  /** Each requirement by itself, in the words of the Kubernetes documentation. */
  function meets(
    of: Record<string, string>,
    { matchLabels, matchExpressions }: LabelSelector,
  ): boolean {
    const own = new Map(Object.entries(of));
    const plain = Object.entries(matchLabels ?? {}).every(
      ([name, wanted]) => own.get(name) === wanted,
    );
    return (
      plain &&
      (matchExpressions ?? []).every(({ key: name, operator, values = [] }) => {
        const isOne = own.has(name) && values.some((one) => one === own.get(name));
        return { In: isOne, NotIn: !isOne, Exists: own.has(name), DoesNotExist: !own.has(name) }[
          operator
        ];
      })
    );
  }

  it('match as their requirements say, also after they were written and read', () => {
    fc.assert(
      fc.property(labels, selector, (of, one) => {
        const expected = meets(of, one);
        expect(matchesLabelSelector(of, one)).toBe(expected);
        expect(matchesLabelSelector(of, parseLabelSelector(formatLabelSelector(one)))).toBe(
          expected,
        );
      }),
    );
  });

  it('select together what one of them selects', () => {
    fc.assert(
      fc.property(labels, fc.array(selector, { maxLength: 3 }), (of, alternatives) => {
        const read = labelSelectorsOf({ orLabelSelectors: alternatives });
        const expected = alternatives.length === 0 || alternatives.some((one) => meets(of, one));
        expect(read.length === 0 || read.some((one) => matchesLabelSelector(of, one))).toBe(
          expected,
        );
      }),
    );
  });
});

function filterOf(spec: BackupSpec): ReturnType<typeof createBackupFilter> {
  return createBackupFilter(spec, {
    liveNamespaces: live,
    excludedByLabel: [],
    resolveResource: (name) => served.find((one) => groupResourceOf(one) === name),
  });
}

function resource(group: string, plural: string, namespaced: boolean): ApiResource {
  return {
    group,
    version: 'v1',
    resource: plural,
    kind: plural,
    singularName: '',
    shortNames: [],
    categories: [],
    namespaced,
    verbs: [],
    subresources: [],
  };
}
