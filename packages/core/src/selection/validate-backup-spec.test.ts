import { describe, expect, it } from 'vitest';

import type { BackupSpec } from '../model/backup.ts';
import { validateBackupSpec } from './validate-backup-spec.ts';

function violated(spec: BackupSpec): readonly string[] {
  return validateBackupSpec(spec).map(({ path }) => path);
}

describe('validateBackupSpec', () => {
  it.each<[string, BackupSpec]>([
    ['nothing', {}],
    ['namespaces', { includedNamespaces: ['shop'], excludedNamespaces: ['kube-*'] }],
    ['the old filters', { includedResources: ['pods'], includeClusterResources: false }],
    [
      'the new filters',
      {
        includedClusterScopedResources: ['*'],
        excludedNamespaceScopedResources: ['secrets'],
        includedResources: [],
      },
    ],
    [
      'a label selector',
      {
        labelSelector: {
          matchLabels: { 'example.com/app': 'shop', empty: '' },
          matchExpressions: [
            { key: 'tier', operator: 'In', values: ['web'] },
            { key: 'canary', operator: 'DoesNotExist' },
            { key: 'app', operator: 'Exists', values: [] },
          ],
        },
      },
    ],
    ['an empty label selector', { labelSelector: {}, orLabelSelectors: [] }],
    [
      'alternative selectors',
      { orLabelSelectors: [{ matchLabels: { app: 'web' } }, { matchLabels: { app: 'db' } }] },
    ],
    ['a policy', { resourcePolicy: { kind: 'ConfigMap', name: 'policy', apiGroup: null } }],
    ['durations', { ttl: '720h', csiSnapshotTimeout: '10m0s', itemOperationTimeout: '0s' }],
    ['snapshots turned off', { snapshotVolumes: false, snapshotMoveData: false }],
  ])('accepts %s', (_what, spec) => {
    expect(validateBackupSpec(spec)).toEqual([]);
  });

  it.each<[string, BackupSpec, string[]]>([
    ['a namespace that is none', { includedNamespaces: ['Shop'] }, ['spec.includedNamespaces[0]']],
    [
      'filters of both styles',
      {
        includedResources: ['pods'],
        includeClusterResources: true,
        includedClusterScopedResources: ['nodes'],
      },
      ['spec.includedResources', 'spec.includeClusterResources'],
    ],
    [
      'old filters in conflict',
      { includedResources: ['a'], excludedResources: ['a'] },
      ['spec.excludedResources[0]'],
    ],
    [
      'new filters in conflict',
      {
        includedClusterScopedResources: ['nodes'],
        excludedClusterScopedResources: ['*'],
        includedNamespaceScopedResources: ['*', 'pods'],
      },
      ['spec.excludedClusterScopedResources', 'spec.includedNamespaceScopedResources'],
    ],
    [
      'both kinds of selectors',
      { labelSelector: {}, orLabelSelectors: [{ matchLabels: { a: 'b' } }] },
      ['spec.orLabelSelectors'],
    ],
    [
      'alternatives that are no selectors',
      { orLabelSelectors: [{ matchLabels: { a: 'b' } }, null, { matchLabel: {} }, 'a=b'] },
      [1, 2, 3].map((n) => `spec.orLabelSelectors[${n}]${n === 2 ? '.matchLabel' : ''}`),
    ],
    ['alternatives that are no list', { orLabelSelectors: { a: 'b' } }, ['spec.orLabelSelectors']],
    ['a selector that is text', { labelSelector: 'app=shop' }, ['spec.labelSelector']],
    [
      'a misspelt selector',
      { labelSelector: { matchLabel: {} } },
      ['spec.labelSelector.matchLabel'],
    ],
    [
      'labels that are no map',
      { labelSelector: { matchLabels: { a: 1 }, matchExpressions: {} } },
      ['spec.labelSelector.matchLabels', 'spec.labelSelector.matchExpressions'],
    ],
    [
      'requirements that are none',
      {
        labelSelector: {
          matchExpressions: [
            { key: 'a', operator: 'Equals', values: ['b'] },
            { key: 'a', operator: 'In' },
            { key: 'a', operator: 'Exists', values: ['b'] },
            { operator: 'Exists' },
            7,
          ],
        },
      },
      [0, 1, 2, 3, 4].map((n) => `spec.labelSelector.matchExpressions[${n}]`),
    ],
    [
      'a label key that is none',
      { labelSelector: { matchLabels: { 'a b': 'c' } } },
      ['spec.labelSelector'],
    ],
    [
      'a label value that is none',
      { labelSelector: { matchLabels: { a: 'b c' } } },
      ['spec.labelSelector'],
    ],
    [
      'durations that are none',
      { ttl: '30d', csiSnapshotTimeout: '-1s', itemOperationTimeout: '' },
      ['spec.ttl', 'spec.csiSnapshotTimeout', 'spec.itemOperationTimeout'],
    ],
    ['what is not supported yet', { snapshotMoveData: true }, ['spec.snapshotMoveData']],
    [
      'hooks without a name',
      { hooks: { resources: [{ name: '' }] } },
      ['spec.hooks.resources[0].name'],
    ],
    [
      'a reference to something else than a ConfigMap',
      { resourcePolicy: { kind: 'Secret', name: '', key: 'x' } },
      ['spec.resourcePolicy.kind', 'spec.resourcePolicy.name', 'spec.resourcePolicy.key'],
    ],
    [
      'a reference to nothing',
      { resourcePolicy: {} },
      ['spec.resourcePolicy.kind', 'spec.resourcePolicy.name'],
    ],
    ['a misspelt field', { includeNamespaces: ['shop'] }, ['spec.includeNamespaces']],
  ])('refuses %s', (_what, spec, paths) => {
    expect(violated(spec)).toEqual(paths);
  });

  it.each<[string, string, string]>([
    ['a duration', '{"ttl":3600}', 'spec.ttl'],
    ['a switch', '{"snapshotVolumes":"yes"}', 'spec.snapshotVolumes'],
    ['a location', '{"storageLocation":[]}', 'spec.storageLocation'],
    ['a list', '{"includedNamespaces":"shop"}', 'spec.includedNamespaces'],
    ['the spec', '[]', 'spec'],
  ])('refuses %s of the wrong type', (_what, json, path) => {
    expect(violated(JSON.parse(json) as BackupSpec)).toEqual([path]);
  });

  it('finds everything at once', () => {
    expect(
      violated({ ttl: 'soon', includedNamespaces: ['*', 'a'], snapshotMoveData: true }),
    ).toEqual(['spec.includedNamespaces', 'spec.ttl', 'spec.snapshotMoveData']);
  });
});
