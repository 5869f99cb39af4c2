import type { Violation } from '../errors.ts';
import type { BackupSpec } from '../model/backup.ts';
import { parseDuration } from '../model/duration.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import { type FieldRule, objectRule, oneOfRule } from './field-rules.ts';
import { filterListViolations } from './filter-list-violations.ts';
import { hookViolations } from './hook-violations.ts';
import { labelSelectorViolations } from './label-selector-violations.ts';
import { orderedResourcesViolations } from './ordered-resources.ts';
import { unsupportedFieldViolations } from './unsupported-field-violations.ts';

const globalFields: readonly string[] = [
  'includedResources',
  'excludedResources',
  'includeClusterResources',
];
const scopedFields: readonly string[] = [
  'includedClusterScopedResources',
  'excludedClusterScopedResources',
  'includedNamespaceScopedResources',
  'excludedNamespaceScopedResources',
];
const durations: readonly string[] = ['ttl', 'csiSnapshotTimeout', 'itemOperationTimeout'];
const booleans: readonly string[] = ['includeClusterResources', 'snapshotVolumes'];

/**
 * Finds everything that is wrong with the spec of a backup: Velero's rules, and fields that would be ignored. Empty when the
 * backup can be made as it is asked for.
 */
export function validateBackupSpec(spec: BackupSpec): readonly Violation[] {
  if (!isJsonObject(spec)) {
    return [{ path: 'spec', rule: 'must be an object', received: spec }];
  }
  return [
    ...filterListViolations(
      spec,
      { included: 'includedNamespaces', excluded: 'excludedNamespaces' },
      'namespaces',
    ),
    ...filterListViolations(
      spec,
      { included: 'includedResources', excluded: 'excludedResources' },
      'resources',
    ),
    ...filterListViolations(
      spec,
      {
        included: 'includedClusterScopedResources',
        excluded: 'excludedClusterScopedResources',
      },
      'scopedResources',
    ),
    ...filterListViolations(
      spec,
      {
        included: 'includedNamespaceScopedResources',
        excluded: 'excludedNamespaceScopedResources',
      },
      'scopedResources',
    ),
    ...filterStyleViolations(spec),
    ...selectorViolations(spec),
    ...booleans.flatMap((field) => booleanViolations(field, spec[field])),
    ...durations.flatMap((field) => durationViolations(field, spec[field])),
    ...storageLocationViolations(spec['storageLocation']),
    ...policyReferenceViolations(spec['resourcePolicy']),
    ...hookViolations(spec['hooks']),
    ...orderedResourcesViolations(spec['orderedResources']),
    ...unsupportedFieldViolations(spec),
  ];
}

function filterStyleViolations(spec: JsonObject): readonly Violation[] {
  const scoped = scopedFields.find((field) => isSet(spec[field]));
  return globalFields
    .filter((field) => scoped !== undefined && isSet(spec[field]))
    .map((field) => ({
      path: `spec.${field}`,
      rule: `cannot be combined with ${scoped}: use either the fields of one scope or those of both`,
      received: spec[field],
    }));
}

function selectorViolations(spec: JsonObject): readonly Violation[] {
  const { labelSelector, orLabelSelectors } = spec;
  const path = 'spec.orLabelSelectors';
  const violations: Violation[] = [];
  if (labelSelector !== undefined && labelSelector !== null) {
    violations.push(...labelSelectorViolations('spec.labelSelector', labelSelector));
  }
  if (orLabelSelectors === undefined || !isSet(orLabelSelectors)) {
    return violations;
  }
  if (isSet(labelSelector)) {
    violations.push({
      path,
      rule: 'cannot be combined with labelSelector',
      received: orLabelSelectors,
    });
  }
  return isJsonArray(orLabelSelectors)
    ? violations.concat(
        orLabelSelectors.flatMap((selector, index) =>
          labelSelectorViolations(`${path}[${index}]`, selector),
        ),
      )
    : violations.concat({
        path,
        rule: 'must be a list of label selectors',
        received: orLabelSelectors,
      });
}

const policyReference: FieldRule = objectRule(
  'a reference to a ConfigMap',
  {
    kind: (path, value) =>
      typeof value === 'string' && value.toLowerCase() === 'configmap'
        ? []
        : [{ path, rule: 'must be "configmap"', received: value }],
    name: (path, value) =>
      typeof value === 'string' && isDnsSubdomain(value)
        ? []
        : [{ path, rule: 'must name a ConfigMap', received: value }],
    apiGroup: oneOfRule('', 'v1'),
  },
  ['kind', 'name'],
);

function policyReferenceViolations(value: JsonValue | undefined): readonly Violation[] {
  return value === undefined || value === null ? [] : policyReference('spec.resourcePolicy', value);
}

function booleanViolations(field: string, value: JsonValue | undefined): readonly Violation[] {
  return value === undefined || value === null || typeof value === 'boolean'
    ? []
    : [{ path: `spec.${field}`, rule: 'must be true or false', received: value }];
}

function durationViolations(field: string, value: JsonValue | undefined): readonly Violation[] {
  if (value === undefined || value === null) {
    return [];
  }
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  return ms !== undefined && ms >= 0
    ? []
    : [
        {
          path: `spec.${field}`,
          rule: 'must be a duration as Go writes it, such as "720h0m0s" or "10m", and not negative',
          received: value,
        },
      ];
}

function storageLocationViolations(value: JsonValue | undefined): readonly Violation[] {
  return value === undefined || value === null || typeof value === 'string'
    ? []
    : [{ path: 'spec.storageLocation', rule: 'must be a string', received: value }];
}

function isSet(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && !(isJsonArray(value) && value.length === 0);
}
