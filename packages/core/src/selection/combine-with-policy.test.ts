import { describe, expect, it } from 'vitest';
import type { ApiResource } from '../model/kubernetes.ts';
import { combineWithPolicy } from './combine-with-policy.ts';
import type { ScopedResourceLists } from './scoped-resource-filter.ts';

const none: ScopedResourceLists = {
  includedNamespaced: [],
  excludedNamespaced: [],
  includedCluster: [],
  excludedCluster: [],
};

const deployments: ApiResource = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  kind: 'Deployment',
  singularName: 'deployment',
  shortNames: ['deploy'],
  categories: [],
  namespaced: true,
  verbs: [],
  subresources: [],
};

function resolveResource(name: string): ApiResource | undefined {
  return ['deploy', 'deployments', 'deployments.apps'].includes(name) ? deployments : undefined;
}

describe('combineWithPolicy', () => {
  it.each<
    [
      string,
      Partial<ScopedResourceLists>,
      Partial<ScopedResourceLists>,
      Partial<ScopedResourceLists>,
    ]
  >([
    [
      'an entry about which the backup says nothing counts',
      { includedNamespaced: ['pods'] },
      { excludedNamespaced: ['secrets'], excludedCluster: ['nodes'] },
      { includedNamespaced: ['pods'], excludedNamespaced: ['secrets'], excludedCluster: ['nodes'] },
    ],
    [
      'an entry that the backup includes is not excluded',
      { includedNamespaced: ['deployments'], includedCluster: ['nodes'] },
      { excludedNamespaced: ['deploy', 'secrets'], excludedCluster: ['nodes'] },
      {
        includedNamespaced: ['deployments'],
        excludedNamespaced: ['secrets'],
        includedCluster: ['nodes'],
      },
    ],
    [
      'an entry that the backup excludes is not included',
      { excludedNamespaced: ['deployments.apps'] },
      { includedNamespaced: ['deploy'] },
      { excludedNamespaced: ['deployments.apps'] },
    ],
    [
      'a pattern of the backup covers an entry',
      { includedNamespaced: ['dep*'], excludedCluster: ['*'] },
      { excludedNamespaced: ['deploy', 'secrets'], includedCluster: ['nodes'] },
      { includedNamespaced: ['dep*'], excludedNamespaced: ['secrets'], excludedCluster: ['*'] },
    ],
    [
      'a list of the other scope does not count',
      { includedCluster: ['secrets'] },
      { excludedNamespaced: ['secrets'] },
      { includedCluster: ['secrets'], excludedNamespaced: ['secrets'] },
    ],
  ])('%s', (_what, backup, policy, expected) => {
    expect(
      combineWithPolicy({ ...none, ...backup }, { ...none, ...policy }, resolveResource),
    ).toEqual({ ...none, ...expected });
  });
});
