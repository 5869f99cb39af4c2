import type { Violation } from '../errors.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../model/json.ts';
import { objectAt, stringAt } from '../model/object-path.ts';
import type { ResourcePolicy } from '../model/resource-policy.ts';
import { parseCapacityRange } from './capacity-range.ts';
import {
  type FieldRule,
  listRule,
  mapRule,
  objectRule,
  oneOfRule,
  textMapRule,
  textRule,
} from './field-rules.ts';

const names: FieldRule = listRule('names', textRule);

const csiFields: FieldRule = objectRule('a condition on the CSI driver', {
  driver: textRule,
  volumeAttributes: textMapRule,
});

const conditionsRule: FieldRule = objectRule('a set of conditions', {
  capacity: capacityViolations,
  storageClass: names,
  nfs: objectRule('a condition on the NFS server', { server: textRule, path: textRule }),
  csi: csiViolations,
  volumeTypes: names,
  pvcLabels: textMapRule,
  pvcPhase: names,
});

const actionRule: FieldRule = objectRule(
  'an action',
  {
    type: oneOfRule('skip', 'snapshot', 'fs-backup', 'custom'),
    parameters: mapRule,
  },
  ['type'],
);

const listsRule: FieldRule = objectRule('an include and exclude policy', {
  includedClusterScopedResources: names,
  excludedClusterScopedResources: names,
  includedNamespaceScopedResources: names,
  excludedNamespaceScopedResources: names,
});

const policyRule: FieldRule = objectRule(
  'a resource policy',
  {
    version: oneOfRule('v1'),
    volumePolicies: listRule(
      'volume policies',
      objectRule('a volume policy', { conditions: conditionsRule, action: actionRule }, ['action']),
    ),
    includeExcludePolicy: includeExcludeViolations,
  },
  ['version'],
);

/** Whether a value is a valid resource policy. */
export function isResourcePolicy(value: JsonValue): value is ResourcePolicy {
  return policyRule('', value).length === 0;
}

/**
 * Finds everything that is wrong with a resource policy, whose place in the request is `path`: Velero's rules, with Velero's
 * strictness about fields that it does not know.
 */
export function resourcePolicyViolations(path: string, policy: JsonValue): readonly Violation[] {
  return policyRule(path, policy);
}

function capacityViolations(path: string, value: JsonValue): readonly Violation[] {
  const range = typeof value === 'string' ? parseCapacityRange(value) : 'must be text';
  return typeof range === 'string' ? [{ path, rule: range, received: value }] : [];
}

function csiViolations(path: string, value: JsonValue): readonly Violation[] {
  const needsDriver =
    isJsonObject(value) &&
    objectAt(value, ['volumeAttributes']) !== undefined &&
    stringAt(value, ['driver']) === undefined;
  return [
    ...csiFields(path, value),
    ...(needsDriver ? [{ path: `${path}.driver`, rule: 'is required by volumeAttributes' }] : []),
  ];
}

function includeExcludeViolations(path: string, value: JsonValue): readonly Violation[] {
  const violations = listsRule(path, value);
  if (violations.length > 0 || !isJsonObject(value)) {
    return violations;
  }
  const stars = Object.entries(value).flatMap(([field, list]) =>
    isJsonArray(list) && list.includes('*')
      ? [{ path: `${path}.${field}`, rule: 'must not hold "*"', received: list }]
      : [],
  );
  const repeated = ['ClusterScopedResources', 'NamespaceScopedResources'].flatMap((scope) => {
    const included = value[`included${scope}`];
    const excluded = value[`excluded${scope}`];
    return isJsonArray(included) && isJsonArray(excluded)
      ? excluded.flatMap((name, index) =>
          included.includes(name)
            ? [
                {
                  path: `${path}.excluded${scope}[${index}]`,
                  rule: `must not be in included${scope} too`,
                  received: name,
                },
              ]
            : [],
        )
      : [];
  });
  return [...stars, ...repeated];
}
