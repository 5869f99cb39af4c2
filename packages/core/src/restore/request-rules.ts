import type { Violation } from '../errors.ts';
import { parseDuration } from '../model/duration.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { isDnsLabel, isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { RestoreSpec } from '../model/restore.ts';
import { restoreHookViolations } from '../selection/restore-hook-violations.ts';
import { nonRestorableResources } from './non-restorable.ts';
import type { RestoreRequest } from './request.ts';
import { restoreStatusViolations } from './restore-status-rules.ts';

/** Fields whose meaning is known, and that a restore would change without: refused rather than ignored. */
const notSupported: readonly string[] = ['uploaderConfig'];

const listPairs = [
  ['includedNamespaces', 'excludedNamespaces'],
  ['includedResources', 'excludedResources'],
] as const;

/** Every rule that a restore request breaks; empty when it can be carried out. */
export function validateRestoreRequest(request: RestoreRequest): readonly Violation[] {
  const { spec, name } = request;
  const violations: Violation[] = [];
  if (name !== undefined && !isDnsSubdomain(name)) {
    violations.push({ path: 'name', rule: 'must be a DNS-1123 subdomain', received: name });
  }
  // A caller without types can leave out what the types demand.
  if (!isJsonObject(spec)) {
    return [...violations, { path: 'spec', rule: 'is required', received: spec }];
  }
  return [
    ...violations,
    ...backupNameRules(spec),
    ...listPairs.flatMap(([included, excluded]) => listRules(spec, included, excluded)),
    ...nonRestorableRules(spec),
    ...mappingRules(spec.namespaceMapping),
    ...scalarRules(spec),
    ...selectorRules(spec),
    ...restoreHookViolations(spec.hooks),
    ...restoreStatusViolations(spec.restoreStatus),
    ...notSupported.flatMap((field) => notSupportedRule(spec, field)),
  ];
}

function backupNameRules({ backupName, scheduleName }: RestoreSpec): readonly Violation[] {
  const isSchedule = isPresent(scheduleName);
  if (isSchedule && typeof scheduleName !== 'string') {
    return [
      { path: 'spec.scheduleName', rule: 'must be the name of a schedule', received: scheduleName },
    ];
  }
  if (isSchedule && !isPresent(backupName)) {
    return [];
  }
  return typeof backupName === 'string' && isDnsSubdomain(backupName)
    ? []
    : [
        {
          path: 'spec.backupName',
          rule: 'must name the backup to restore, a DNS-1123 subdomain',
          received: backupName,
        },
      ];
}

function listRules(
  spec: RestoreSpec,
  includedField: string,
  excludedField: string,
): readonly Violation[] {
  const shapes = [includedField, excludedField].flatMap((field) => {
    const value = spec[field];
    const ok =
      value === undefined ||
      value === null ||
      (isJsonArray(value) && value.every((entry) => typeof entry === 'string' && entry !== ''));
    return ok ? [] : [{ path: `spec.${field}`, rule: 'must be a list of names', received: value }];
  });
  if (shapes.length > 0) {
    return shapes;
  }
  const included = stringsOf(spec[includedField]);
  const excluded = stringsOf(spec[excludedField]);
  const violations: Violation[] = [];
  if (included.length > 1 && included.includes('*')) {
    violations.push({
      path: `spec.${includedField}`,
      rule: 'must hold nothing else beside *',
      received: included,
    });
  }
  if (excluded.includes('*')) {
    violations.push({ path: `spec.${excludedField}`, rule: 'must not hold *', received: excluded });
  }
  for (const both of included.filter((entry) => excluded.includes(entry) && entry !== '*')) {
    violations.push({
      path: `spec.${excludedField}`,
      rule: `must not name what spec.${includedField} names`,
      received: both,
    });
  }
  return violations;
}

function nonRestorableRules(spec: RestoreSpec): readonly Violation[] {
  return stringsOf(spec.includedResources)
    .filter((resource) => nonRestorableResources.includes(resource))
    .map((resource) => ({
      path: 'spec.includedResources',
      rule: 'must not name a resource that is never restored',
      received: resource,
    }));
}

function mappingRules(mapping: JsonValue | undefined): readonly Violation[] {
  if (mapping === undefined || mapping === null) {
    return [];
  }
  if (!isJsonObject(mapping)) {
    return [{ path: 'spec.namespaceMapping', rule: 'must map names to names', received: mapping }];
  }
  const violations: Violation[] = [];
  const sourceOf = new Map<string, string>();
  for (const [source, target] of Object.entries(mapping)) {
    const path = `spec.namespaceMapping.${source}`;
    if (!isDnsLabel(source)) {
      violations.push({
        path,
        rule: 'must map a namespace name, a DNS-1123 label',
        received: source,
      });
    }
    if (typeof target !== 'string' || !isDnsLabel(target)) {
      violations.push({ path, rule: 'must name a namespace, a DNS-1123 label', received: target });
      continue;
    }
    const other = sourceOf.get(target);
    if (other !== undefined) {
      violations.push({
        path,
        rule: `must not map onto the namespace that ${other} is mapped onto`,
        received: target,
      });
    }
    sourceOf.set(target, source);
  }
  return violations;
}

function scalarRules(spec: RestoreSpec): readonly Violation[] {
  const violations: Violation[] = [];
  for (const field of ['restorePVs', 'preserveNodePorts', 'includeClusterResources']) {
    const value = spec[field];
    if (value !== undefined && value !== null && typeof value !== 'boolean') {
      violations.push({ path: `spec.${field}`, rule: 'must be true or false', received: value });
    }
  }
  const timeout = spec.itemOperationTimeout;
  if (
    timeout !== undefined &&
    (typeof timeout !== 'string' || parseDuration(timeout) === undefined)
  ) {
    violations.push({
      path: 'spec.itemOperationTimeout',
      rule: 'must be a duration such as 4h0m0s',
      received: timeout,
    });
  }
  const policy: JsonValue | undefined = spec.existingResourcePolicy;
  if (policy !== undefined && policy !== '' && policy !== 'none' && policy !== 'update') {
    violations.push({
      path: 'spec.existingResourcePolicy',
      rule: 'must be none or update',
      received: policy,
    });
  }
  return violations;
}

function selectorRules(spec: RestoreSpec): readonly Violation[] {
  const violations: Violation[] = [];
  const selector = spec.labelSelector;
  const alternatives = spec.orLabelSelectors;
  if (isPresent(selector) && isPresent(alternatives)) {
    violations.push({
      path: 'spec.orLabelSelectors',
      rule: 'must not be given together with spec.labelSelector',
    });
  }
  if (isPresent(selector) && !isJsonObject(selector)) {
    violations.push({
      path: 'spec.labelSelector',
      rule: 'must be a label selector',
      received: selector,
    });
  }
  if (isPresent(alternatives) && !(isJsonArray(alternatives) && alternatives.every(isJsonObject))) {
    violations.push({
      path: 'spec.orLabelSelectors',
      rule: 'must be a list of label selectors',
      received: alternatives,
    });
  }
  return violations;
}

function notSupportedRule(spec: JsonObject, field: string): readonly Violation[] {
  const value = spec[field];
  return isPresent(value)
    ? [{ path: `spec.${field}`, rule: 'is not supported yet', received: value }]
    : [];
}

// Velero writes an empty object or string where nothing is asked for.
function isPresent(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '') {
    return false;
  }
  if (isJsonArray(value)) {
    return value.length > 0;
  }
  return !isJsonObject(value) || Object.keys(value).length > 0;
}

function stringsOf(value: JsonValue | undefined): readonly string[] {
  return isJsonArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
