import type { Violation } from '../errors.ts';
import { parseDuration } from '../model/duration.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { isDnsLabel } from '../model/kubernetes-name.ts';
import { type FieldRule, listRule, objectRule, oneOfRule } from './field-rules.ts';
import { filterListViolations } from './filter-list-violations.ts';
import { labelSelectorViolations } from './label-selector-violations.ts';

// Checked as pairs, by the rules of the lists of the backup itself.
const anything: FieldRule = () => [];

const execRule = objectRule(
  'an exec hook: container, command, onError, timeout',
  {
    container: (path, value) =>
      typeof value === 'string' && (value === '' || isDnsLabel(value))
        ? []
        : [{ path, rule: 'must be the name of a container', received: value }],
    command: (path, value) =>
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
          ],
    onError: oneOfRule('Continue', 'Fail'),
    timeout: (path, value) => {
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
    },
  },
  ['command'],
);

const handlersRule = listRule('hooks', objectRule('a hook', { exec: execRule }, ['exec']));

const resourceHookFields = objectRule(
  'a hook for pods: name, filters, pre, post',
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
    pre: handlersRule,
    post: handlersRule,
  },
  ['name'],
);

const hooksRule = objectRule('the hooks of a backup', {
  resources: listRule('hooks', (path, value) => [
    ...resourceHookFields(path, value),
    ...(isJsonObject(value) ? filterViolations(path, value) : []),
  ]),
});

/** Finds everything that is wrong with `spec.hooks`. */
export function hookViolations(hooks: JsonValue | undefined): readonly Violation[] {
  return hooks === undefined || hooks === null ? [] : hooksRule('spec.hooks', hooks);
}

function filterViolations(path: string, hook: JsonObject): readonly Violation[] {
  const namespaces = { included: 'includedNamespaces', excluded: 'excludedNamespaces' };
  const resources = { included: 'includedResources', excluded: 'excludedResources' };
  return [
    ...filterListViolations(hook, namespaces, 'namespaces'),
    ...filterListViolations(hook, resources, 'resources'),
  ].map((violation) => ({ ...violation, path: violation.path.replace(/^spec(?=\.)/, () => path) }));
}
