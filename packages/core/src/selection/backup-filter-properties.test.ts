import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackupSpec } from '../model/backup.ts';
import { type ApiResource, groupResourceOf } from '../model/kubernetes.ts';
import { matchesLabelSelector } from '../model/label-selector.ts';
import type { BackupCandidate } from './backup-candidate.ts';
import { createBackupFilter } from './backup-filter.ts';
import { completeBackupSpec } from './backup-request.ts';
import { createGlob } from './glob.ts';

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

  it('takes of the objects of a cluster those that the spec and the predicate describe', () => {
    const object = fc.record({
      of: fc.constantFrom(...served.filter((one) => one.resource !== 'namespaces')),
      namespace: fc.constantFrom(...live),
      labels: fc.dictionary(
        fc.constantFrom('app', 'velero.io/exclude-from-backup'),
        fc.constantFrom('a', 'b', 'true'),
      ),
      isDeleted: fc.boolean(),
    });
    const apps = fc.uniqueArray(fc.constantFrom('a', 'b', 'true'), { maxLength: 2 });
    fc.assert(
      fc.property(
        fc.array(object, { maxLength: 8 }),
        namespaces,
        resources,
        apps,
        fc.option(fc.constantFrom(...live), { nil: undefined }),
        (objects, excluded, exNamespaced, selected, unwanted) => {
          const filter = filterOf(
            {
              excludedNamespaces: excluded,
              excludedNamespaceScopedResources: exNamespaced,
              includedClusterScopedResources: ['nodes'],
              orLabelSelectors: selected.map((app) => ({ matchLabels: { app } })),
            },
            (candidate) => candidate.namespace !== unwanted || unwanted === undefined,
          );
          for (const { of, namespace, labels, isDeleted } of objects) {
            const inNamespace = of.namespaced ? { namespace } : {};
            const deletion = isDeleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
            const metadata = { name: 'one', labels, ...inNamespace, ...deletion };
            const one = { apiVersion: of.version, kind: of.kind, metadata };
            const { labelSelectors } = filter;
            const isTaken =
              filter.includesResource(of) &&
              filter.exclusionOf(of, one) === undefined &&
              (labelSelectors.length === 0 ||
                labelSelectors.some((selector) => matchesLabelSelector(labels, selector)));
            const isMeant = of.namespaced
              ? !anyMatches(excluded, namespace) &&
                !anyMatches(exNamespaced, groupResourceOf(of)) &&
                namespace !== unwanted
              : of.resource === 'nodes';
            expect(isTaken).toBe(
              isMeant &&
                !isDeleted &&
                labels['velero.io/exclude-from-backup'] !== 'true' &&
                (selected.length === 0 || selected.some((app) => labels['app'] === app)),
            );
          }
        },
      ),
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

function filterOf(
  spec: BackupSpec,
  include?: (candidate: BackupCandidate) => boolean,
): ReturnType<typeof createBackupFilter> {
  return createBackupFilter(spec, {
    include,
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
