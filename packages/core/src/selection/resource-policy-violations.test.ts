import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../model/json.ts';
import { isResourcePolicy, resourcePolicyViolations } from './resource-policy-violations.ts';

const everything: JsonValue = {
  version: 'v1',
  volumePolicies: [
    {
      conditions: {
        capacity: '10Gi,100Gi',
        storageClass: ['gp2', 'ebs-sc'],
        nfs: { server: 's', path: '/p' },
        csi: { driver: 'd', volumeAttributes: { k: 'v' } },
        volumeTypes: ['emptyDir', 'no such type'],
        pvcLabels: { env: 'prod' },
        pvcPhase: ['Pending', 'Lost'],
      },
      action: { type: 'skip', parameters: { any: [{ thing: 1 }] } },
    },
    { conditions: { nfs: {}, csi: {}, capacity: null }, action: { type: 'fs-backup' } },
    { action: { type: 'snapshot' } },
    { conditions: {}, action: { type: 'custom', parameters: null } },
  ],
  includeExcludePolicy: {
    includedClusterScopedResources: ['storageclasses'],
    excludedClusterScopedResources: ['nodes'],
    includedNamespaceScopedResources: null,
    excludedNamespaceScopedResources: ['secrets', 'event*'],
  },
};

function withPolicy(policy: JsonValue): JsonValue {
  return { version: 'v1', volumePolicies: [policy] };
}

function withCondition(conditions: JsonValue): JsonValue {
  return withPolicy({ conditions, action: { type: 'skip' } });
}

const first = 'p.volumePolicies[0]';

describe('resourcePolicyViolations', () => {
  it.each<[string, JsonValue]>([
    ['a policy with everything', everything],
    ['one that says nothing', { version: 'v1' }],
    ['empty parts', { version: 'v1', volumePolicies: [], includeExcludePolicy: {} }],
    ['parts left out as null', { version: 'v1', volumePolicies: null, includeExcludePolicy: null }],
  ])('accepts %s', (_what, policy) => {
    expect(resourcePolicyViolations('p', policy)).toEqual([]);
    expect(isResourcePolicy(policy)).toBe(true);
  });

  it.each<[string, JsonValue, readonly string[]]>([
    ['no map', 'version: v1', ['p']],
    ['nothing', null, ['p']],
    ['no version', {}, ['p.version']],
    ['another version', { version: 'v2' }, ['p.version']],
    ['an unknown field', { version: 'v1', policies: [] }, ['p.policies']],
    ['an inherited name', { version: 'v1', toString: 'x' }, ['p.toString']],
    ['policies that are no list', { version: 'v1', volumePolicies: {} }, ['p.volumePolicies']],
    ['a policy that is none', withPolicy('skip'), [first]],
    ['no action', withPolicy({ conditions: {} }), [`${first}.action`]],
    ['no type', withPolicy({ action: {} }), [`${first}.action.type`]],
    ['an unknown action', withPolicy({ action: { type: 'delete' } }), [`${first}.action.type`]],
    [
      'parameters that are no map',
      withPolicy({ action: { type: 'custom', parameters: [], more: 1 } }),
      [`${first}.action.parameters`, `${first}.action.more`],
    ],
    [
      'an unknown field of a policy',
      withPolicy({ action: { type: 'skip' }, name: 'x' }),
      [`${first}.name`],
    ],
    ['an unknown condition', withCondition({ size: '1' }), [`${first}.conditions.size`]],
    [
      'a capacity that is a number',
      withCondition({ capacity: 10 }),
      [`${first}.conditions.capacity`],
    ],
    [
      'a capacity without comma',
      withCondition({ capacity: '1Gi' }),
      [`${first}.conditions.capacity`],
    ],
    [
      'a class that is no list',
      withCondition({ storageClass: 'gp2' }),
      [`${first}.conditions.storageClass`],
    ],
    [
      'a list of no names',
      withCondition({ pvcPhase: ['Lost', 1] }),
      [`${first}.conditions.pvcPhase[1]`],
    ],
    [
      'an unknown field of nfs',
      withCondition({ nfs: { host: 'x', path: 1 } }),
      [`${first}.conditions.nfs.host`, `${first}.conditions.nfs.path`],
    ],
    [
      'attributes without driver',
      withCondition({ csi: { volumeAttributes: { a: 'b' } } }),
      [`${first}.conditions.csi.driver`],
    ],
    [
      'labels that are no map',
      withCondition({ pvcLabels: ['env=prod'] }),
      [`${first}.conditions.pvcLabels`],
    ],
    [
      'labels that are no text',
      withCondition({ pvcLabels: { prod: true } }),
      [`${first}.conditions.pvcLabels`],
    ],
    [
      'lists with a star, or a name on both sides',
      {
        version: 'v1',
        includeExcludePolicy: {
          includedClusterScopedResources: ['*'],
          excludedClusterScopedResources: ['nodes'],
          includedNamespaceScopedResources: ['pods', 'secrets'],
          excludedNamespaceScopedResources: ['events', 'secrets'],
        },
      },
      [
        'p.includeExcludePolicy.includedClusterScopedResources',
        'p.includeExcludePolicy.excludedNamespaceScopedResources[1]',
      ],
    ],
    [
      'a list of another name',
      { version: 'v1', includeExcludePolicy: { includedResources: ['pods'] } },
      ['p.includeExcludePolicy.includedResources'],
    ],
    [
      'everything at once',
      { volumePolicies: [{ conditions: { capacity: 'x', a: 1 } }, { action: { type: 'x' } }] },
      [
        'p.version',
        `${first}.action`,
        `${first}.conditions.capacity`,
        `${first}.conditions.a`,
        'p.volumePolicies[1].action.type',
      ],
    ],
  ])('refuses %s', (_what, policy, paths) => {
    expect(resourcePolicyViolations('p', policy).map(({ path }) => path)).toEqual(paths);
    expect(isResourcePolicy(policy)).toBe(false);
  });

  it('says what was received and what is allowed', () => {
    expect(resourcePolicyViolations('p', withPolicy({ action: { type: 'delete' } }))).toEqual([
      {
        path: `${first}.action.type`,
        rule: 'must be "skip" or "snapshot" or "fs-backup" or "custom"',
        received: 'delete',
      },
    ]);
  });
});
