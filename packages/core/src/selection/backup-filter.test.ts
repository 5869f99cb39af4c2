import { describe, expect, it } from 'vitest';

import type { BackupSpec } from '../model/backup.ts';
import type { ApiResource, KubernetesObject, ObjectMeta } from '../model/kubernetes.ts';
import type { BackupCandidate } from './backup-candidate.ts';
import {
  type BackupFilter,
  createBackupFilter,
  type ItemExclusion,
  type ItemSelection,
} from './backup-filter.ts';

function resource(plural: string, namespaced: boolean): ApiResource {
  return {
    group: '',
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

const pods = resource('pods', true);
const secrets = resource('secrets', true);
const volumes = resource('persistentvolumes', false);
const namespaces = resource('namespaces', false);
const excluded = { 'velero.io/exclude-from-backup': 'true' };

function filterOf(
  spec: BackupSpec,
  excludedByLabel: readonly string[] = [],
  include?: (candidate: BackupCandidate) => boolean,
): BackupFilter {
  return createBackupFilter(spec, {
    include,
    liveNamespaces: ['shop', 'test'],
    excludedByLabel,
    resolveResource: (name) =>
      [pods, secrets, volumes, namespaces].find((one) => one.resource === name),
  });
}

function object(metadata: Partial<ObjectMeta>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Any', metadata: { name: 'x', ...metadata } };
}

function namespace(
  name: string,
  labels: Record<string, string> = {},
  phase = 'Active',
): KubernetesObject {
  return { ...object({ name, labels }), status: { phase } };
}

describe('BackupFilter.exclusionOf', () => {
  const shop: BackupSpec = {
    includedNamespaces: ['shop'],
    excludedNamespaceScopedResources: ['secrets'],
  };

  it.each<[string, BackupSpec, ApiResource, Partial<ObjectMeta>, ItemExclusion | undefined]>([
    ['an object of a selected namespace', shop, pods, { namespace: 'shop' }, undefined],
    ['one of another namespace', shop, pods, { namespace: 'test' }, 'Namespace'],
    ['one of an excluded resource', shop, secrets, { namespace: 'shop' }, 'Resource'],
    ['one with the label', shop, pods, { namespace: 'shop', labels: excluded }, 'Label'],
    [
      'one with another value of the label',
      shop,
      pods,
      { namespace: 'shop', labels: { 'velero.io/exclude-from-backup': 'false' } },
      undefined,
    ],
    [
      'one that is being deleted',
      shop,
      pods,
      { namespace: 'shop', deletionTimestamp: '2026-01-02T03:04:05Z' },
      'Deleting',
    ],
    ['a volume, though volumes are not listed', shop, volumes, {}, undefined],
    ['a volume with the label', shop, volumes, { labels: excluded }, 'Label'],
    [
      'a volume that the spec excludes',
      { excludedClusterScopedResources: ['*'] },
      volumes,
      {},
      'Resource',
    ],
    [
      'a namespace, whatever the spec excludes',
      { excludedClusterScopedResources: ['*'] },
      namespaces,
      {},
      undefined,
    ],
    [
      'a volume without cluster resources',
      { includeClusterResources: false },
      volumes,
      {},
      'Resource',
    ],
  ])('%s', (_what, spec, of, metadata, expected) => {
    expect(filterOf(spec).exclusionOf(of, object(metadata))).toBe(expected);
  });

  it('lets an object in that must come along, unless it is being deleted', () => {
    const filter = filterOf(shop);
    const mustInclude = true;
    const other = object({ namespace: 'test', labels: excluded });
    const deleting = object({ deletionTimestamp: '2026-01-02T03:04:05Z' });
    expect(filter.exclusionOf(secrets, other, { mustInclude })).toBeUndefined();
    expect(filter.exclusionOf(volumes, deleting, { mustInclude })).toBe('Deleting');
  });
});

describe('the predicate of a BackupFilter', () => {
  it('is asked about what everything else lets in, with what it needs to decide', () => {
    const asked: BackupCandidate[] = [];
    const filter = filterOf({ excludedNamespaceScopedResources: ['secrets'] }, [], (candidate) => {
      asked.push(candidate);
      return false;
    });
    const pod = object({ namespace: 'shop' });
    expect(filter.exclusionOf(pods, pod)).toBe('Predicate');
    expect(filter.exclusionOf(secrets, pod)).toBe('Resource');
    expect(filter.exclusionOf(pods, object({ namespace: 'x', labels: excluded }))).toBe('Label');
    expect(asked).toEqual([
      {
        group: '',
        version: 'v1',
        resource: 'pods',
        kind: 'Any',
        namespace: 'shop',
        name: 'x',
        object: pod,
      },
    ]);
  });

  it('is not asked about what must come along', () => {
    const filter = filterOf({}, [], () => false);
    expect(filter.exclusionOf(volumes, object({}), { mustInclude: true })).toBeUndefined();
  });
});

describe('BackupFilter', () => {
  it('takes no namespace that is excluded by label, and then is no backup of everything', () => {
    const filter = filterOf({}, ['test']);
    expect(filter.namespaces.names).toEqual(['shop']);
    expect(filter.namespaces.includesEverything).toBe(false);
    expect(filter.includesResource(volumes)).toBe(false);
  });

  it('takes the cluster-scoped objects of a backup of everything', () => {
    expect(filterOf({}).includesResource(volumes)).toBe(true);
    expect(filterOf({ includedNamespaces: ['*'] }).includesResource(volumes)).toBe(true);
    expect(filterOf({ includedNamespaces: ['shop'] }).includesResource(volumes)).toBe(false);
  });

  it('reports names without effect as warnings', () => {
    expect(filterOf({ includedResources: ['gizmos'] }).issues).toEqual([
      {
        severity: 'warning',
        reason: 'FilterWithoutEffect',
        message: 'resource filter: the cluster serves no resource "gizmos"',
      },
    ]);
  });

  it('takes an empty selector for none', () => {
    expect(filterOf({ labelSelector: {} }).labelSelectors).toEqual([]);
  });
});

describe('BackupFilter.selectionOf', () => {
  const shop = { namespace: 'shop', labels: { app: 'db' } };
  const alternatives: BackupSpec = {
    orLabelSelectors: [{ matchLabels: { app: 'web' } }, { matchLabels: { app: 'db' } }],
  };

  it.each<[string, BackupSpec, ApiResource, Partial<ObjectMeta>, ItemSelection]>([
    ['nothing', {}, pods, shop, { namespaces: '*', resources: 'every namespaced resource' }],
    ['nothing, of the cluster', {}, volumes, {}, { resources: 'every resource of a full backup' }],
    [
      'patterns',
      { includedNamespaces: ['x', 's*'], includedResources: ['volumes', 'po*'] },
      pods,
      shop,
      { namespaces: 's*', resources: 'includedResources: po*' },
    ],
    [
      'lists of one scope',
      { includedNamespaces: ['shop'], includedNamespaceScopedResources: ['pods'] },
      pods,
      shop,
      { namespaces: 'shop', resources: 'includedNamespaceScopedResources: pods' },
    ],
    [
      'a list of the cluster',
      { includedClusterScopedResources: ['persistentvolumes'] },
      volumes,
      {},
      { resources: 'includedClusterScopedResources: persistentvolumes' },
    ],
    [
      'all of the cluster',
      { includeClusterResources: true },
      volumes,
      {},
      { resources: 'includeClusterResources' },
    ],
    [
      'an exclusion',
      { excludedResources: ['secrets'] },
      volumes,
      {},
      { resources: 'every resource' },
    ],
    [
      'selectors',
      alternatives,
      pods,
      shop,
      { namespaces: '*', resources: 'every namespaced resource', labels: 'app=db' },
    ],
  ])('names what of a spec takes an object: %s', (_what, spec, taken, metadata, expected) => {
    expect(filterOf(spec).selectionOf(taken, object(metadata))).toStrictEqual(expected);
  });
});

describe('BackupFilter.includesNamespaceObject', () => {
  const app = { app: 'shop' };
  const selector: BackupSpec = { labelSelector: { matchLabels: app } };
  const alternatives: BackupSpec = {
    orLabelSelectors: [{ matchLabels: { app: 'db' } }, { matchLabels: app }],
  };

  it.each<[string, BackupSpec, KubernetesObject, boolean]>([
    ['every namespace', {}, namespace('test'), true],
    ['a named one', { includedNamespaces: ['shop'] }, namespace('shop'), true],
    ['another one', { includedNamespaces: ['shop'] }, namespace('test'), false],
    ['an excluded one', { excludedNamespaces: ['t*'] }, namespace('test'), false],
    ['one that is going away', {}, namespace('shop', {}, 'Terminating'), false],
    ['one of all that the selector wants', selector, namespace('shop', app), true],
    ['one of all that the selector does not want', selector, namespace('shop'), false],
    ['one that an alternative wants', alternatives, namespace('shop', app), true],
    ['one that no alternative wants', alternatives, namespace('shop', { app: 'x' }), false],
    [
      'a named one that the selector does not want',
      { ...selector, includedNamespaces: ['shop'] },
      namespace('shop'),
      true,
    ],
    [
      'another one that the selector wants',
      { ...selector, includedNamespaces: ['shop'] },
      namespace('test', app),
      false,
    ],
  ])('%s', (_what, spec, one, expected) => {
    expect(filterOf(spec).includesNamespaceObject(one)).toBe(expected);
  });
});
