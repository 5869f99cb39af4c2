import { describe, expect, it } from 'vitest';
import {
  aggregatedDiscovery,
  coreGroup,
  isAggregated,
  namedGroups,
  versionResources,
} from './discovery-document.ts';

const deployments = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  kind: 'Deployment',
  singularName: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  verbs: ['get', 'list'],
  subresources: ['scale', 'status'],
};

describe('aggregated discovery', () => {
  const document = {
    kind: 'APIGroupDiscoveryList',
    items: [
      {
        metadata: { name: 'apps' },
        versions: [
          {
            version: 'v1',
            freshness: 'Current',
            resources: [
              {
                resource: 'deployments',
                responseKind: { group: '', version: '', kind: 'Deployment' },
                scope: 'Namespaced',
                singularResource: 'deployment',
                shortNames: ['deploy'],
                categories: ['all'],
                verbs: ['get', 'list'],
                subresources: [{ subresource: 'scale' }, { subresource: 'status' }],
              },
              { resource: 'rollbacks', scope: 'Namespaced', subresources: [{ subresource: 'x' }] },
            ],
          },
          { version: 'v1beta1', freshness: 'Current' },
        ],
      },
      {
        metadata: { name: 'metrics.k8s.io' },
        versions: [{ version: 'v1beta1', freshness: 'Stale', resources: [{}] }],
      },
      { metadata: { name: 'empty.example.com' }, versions: [] },
    ],
  };

  it('gives groups with their versions, the first preferred', () => {
    expect(aggregatedDiscovery(document).groups).toEqual([
      { name: 'apps', versions: ['v1', 'v1beta1'], preferredVersion: 'v1' },
      { name: 'metrics.k8s.io', versions: ['v1beta1'], preferredVersion: 'v1beta1' },
    ]);
  });

  it('gives resources with their subresources, and leaves out what cannot be read', () => {
    expect(aggregatedDiscovery(document).resources).toEqual([deployments]);
  });

  it('a stale version is a failure', () => {
    expect(aggregatedDiscovery(document).failures).toEqual([
      { group: 'metrics.k8s.io', version: 'v1beta1', message: expect.any(String) as string },
    ]);
  });

  it('a group without a name is the core group', () => {
    const core = { items: [{ metadata: {}, versions: [{ version: 'v1' }] }] };
    expect(aggregatedDiscovery(core).groups).toEqual([
      { name: '', versions: ['v1'], preferredVersion: 'v1' },
    ]);
  });

  it('is told from the older documents by its kind', () => {
    expect(isAggregated(document)).toBe(true);
    expect(isAggregated({ kind: 'APIGroupList' })).toBe(false);
    expect(isAggregated('x')).toBe(false);
  });
});

describe('discovery group by group', () => {
  it('reads the core group and the named ones', () => {
    expect(coreGroup({ kind: 'APIVersions', versions: ['v1'] })).toEqual([
      { name: '', versions: ['v1'], preferredVersion: 'v1' },
    ]);
    const group = {
      name: 'autoscaling',
      versions: [{ version: 'v1' }, { version: 'v2' }],
      preferredVersion: { version: 'v2' },
    };
    expect(namedGroups({ groups: [group] })).toEqual([
      { name: 'autoscaling', versions: ['v1', 'v2'], preferredVersion: 'v2' },
    ]);
  });

  it('folds subresources into their resource', () => {
    const document = {
      resources: [
        {
          name: 'deployments',
          kind: 'Deployment',
          singularName: '',
          namespaced: true,
          shortNames: ['deploy'],
          categories: ['all'],
          verbs: ['get', 'list'],
        },
        { name: 'deployments/scale', kind: 'Scale' },
        { name: 'deployments/status', kind: 'Deployment' },
        { name: 'nokind' },
      ],
    };
    expect(versionResources('apps', 'v1', document)).toEqual([deployments]);
  });

  it.each([['x'], [null], [{}]])('a document of another shape has nothing: %j', (document) => {
    expect(coreGroup(document)).toEqual([]);
    expect(namedGroups(document)).toEqual([]);
    expect(versionResources('apps', 'v1', document)).toEqual([]);
  });
});
