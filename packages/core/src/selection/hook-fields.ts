import type { Violation } from '../errors.ts';
import { parseDuration } from '../model/duration.ts';
import { isJsonArray, isJsonObject, type JsonObject } from '../model/json.ts';
import { isDnsLabel } from '../model/kubernetes-name.ts';
import { type FieldRule, listRule, objectRule, oneOfRule } from './field-rules.ts';
import { filterListViolations } from './filter-list-violations.ts';
import { labelSelectorViolations } from './label-selector-violations.ts';

/** The rule of the name of a container; empty counts as absent. */
const containerRule: FieldRule = (path, value) =>
  typeof value === 'string' && (value === '' || isDnsLabel(value))
    ? []
    : [{ path, rule: 'must be the name of a container', received: value }];

/** The rule of a command. */
export const commandRule: FieldRule = (path, value) =>
  isJsonArray(value) &&
  value.length > 0 &&
  value.every((argument) => typeof argument === 'string') &&
  value[0] !== ''
    ? []
    : [
        {
          path,
          rule: 'must be a list of texts, a program and its arguments; for a shell, ["sh", "-c", "…"]',
          received: value,
        },
      ];

/** The rule of a duration. */
export const durationRule: FieldRule = (path, value) => {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  return ms !== undefined && ms >= 0
    ? []
    : [
        {
          path,
          rule: 'must be a duration as Go writes it, such as "30s" or "5m", and not negative',
          received: value,
        },
      ];
};

/** The fields of an exec hook that a backup and a restore share. */
export const execFields: Readonly<Record<'container' | 'command' | 'onError', FieldRule>> = {
  container: containerRule,
  command: commandRule,
  onError: oneOfRule('Continue', 'Fail'),
};

// Checked as pairs, by the rules of the lists of the backup itself.
const anything: FieldRule = () => [];

/** The rule of `spec.hooks`, whose entries have a name, filters and these fields. */
export function hooksRule(
  what: string,
  entry: string,
  fields: Readonly<Record<string, FieldRule>>,
): FieldRule {
  const entryRule = objectRule(
    entry,
    {
      name: (path, value) =>
        typeof value === 'string' && value !== ''
          ? []
          : [{ path, rule: 'must be a text that is not empty', received: value }],
      includedNamespaces: anything,
      excludedNamespaces: anything,
      includedResources: anything,
      excludedResources: anything,
      labelSelector: labelSelectorViolations,
      ...fields,
    },
    ['name'],
  );
  return objectRule(what, {
    resources: listRule('hooks', (path, value) => [
      ...entryRule(path, value),
      ...(isJsonObject(value) ? filterViolations(path, value) : []),
    ]),
  });
}

function filterViolations(path: string, hook: JsonObject): readonly Violation[] {
  const namespaces = { included: 'includedNamespaces', excluded: 'excludedNamespaces' };
  const resources = { included: 'includedResources', excluded: 'excludedResources' };
  return [
    ...filterListViolations(hook, namespaces, 'namespaces'),
    ...filterListViolations(hook, resources, 'resources'),
  ].map((violation) => ({ ...violation, path: violation.path.replace(/^spec(?=\.)/, () => path) }));
}
