import { messageOf, type Violation } from '../errors.ts';
import type { BackupSpec } from '../model/backup.ts';
import { parseDuration } from '../model/duration.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { formatLabelSelector, parseLabelSelector } from '../model/label-selector.ts';
import { filterListViolations } from './filter-list-violations.ts';
import { isRequirement, selectorOf } from './selector-of.ts';
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
    ...labelSelectorViolations(spec),
    ...booleans.flatMap((field) => booleanViolations(field, spec[field])),
    ...durations.flatMap((field) => durationViolations(field, spec[field])),
    ...storageLocationViolations(spec['storageLocation']),
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
    }));
}

function labelSelectorViolations(spec: BackupSpec): readonly Violation[] {
  const { labelSelector, orLabelSelectors } = spec;
  const violations: Violation[] = [];
  if (isSet(labelSelector) && isSet(orLabelSelectors)) {
    violations.push({
      path: 'spec.orLabelSelectors',
      rule: 'cannot be combined with labelSelector',
    });
  }
  if (labelSelector === undefined || labelSelector === null) {
    return violations;
  }
  const path = 'spec.labelSelector';
  if (!isJsonObject(labelSelector)) {
    return [...violations, { path, rule: 'must be a label selector', received: labelSelector }];
  }
  const { matchLabels, matchExpressions, ...others } = labelSelector;
  for (const field of Object.keys(others)) {
    violations.push({ path: `${path}.${field}`, rule: 'is not a field of a label selector' });
  }
  violations.push(...matchLabelsViolations(matchLabels), ...expressionViolations(matchExpressions));
  return violations.length > 0 ? violations : grammarViolations(spec);
}

// A key or value that the API server refuses would fail every list of the backup.
function grammarViolations(spec: BackupSpec): readonly Violation[] {
  try {
    parseLabelSelector(formatLabelSelector(selectorOf(spec) ?? {}));
    return [];
  } catch (error) {
    return [{ path: 'spec.labelSelector', rule: `must be a label selector: ${messageOf(error)}` }];
  }
}

function matchLabelsViolations(labels: JsonValue | undefined): readonly Violation[] {
  const isMap =
    isJsonObject(labels) && Object.values(labels).every((value) => typeof value === 'string');
  return labels === undefined || labels === null || isMap
    ? []
    : [
        {
          path: 'spec.labelSelector.matchLabels',
          rule: 'must be a map of labels to values',
          received: labels,
        },
      ];
}

function expressionViolations(expressions: JsonValue | undefined): readonly Violation[] {
  const path = 'spec.labelSelector.matchExpressions';
  if (expressions === undefined || expressions === null) {
    return [];
  }
  if (!isJsonArray(expressions)) {
    return [{ path, rule: 'must be a list of requirements', received: expressions }];
  }
  return expressions.flatMap((expression, index): readonly Violation[] =>
    isJsonObject(expression) && isRequirement(expression)
      ? []
      : [
          {
            path: `${path}[${index}]`,
            rule: 'must have a key, an operator (In, NotIn, Exists, DoesNotExist) and, for In and NotIn alone, values',
            received: expression,
          },
        ],
  );
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
