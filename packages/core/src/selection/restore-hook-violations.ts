import type { Violation } from '../errors.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../model/json.ts';
import { isDnsLabel } from '../model/kubernetes-name.ts';
import { type FieldRule, listRule, objectRule } from './field-rules.ts';
import { commandRule, durationRule, execFields, hooksRule } from './hook-fields.ts';

const execRule = objectRule(
  'an exec hook: container, command, onError, execTimeout, waitTimeout, waitForReady',
  {
    ...execFields,
    execTimeout: durationRule,
    waitTimeout: durationRule,
    waitForReady: (path, value) =>
      typeof value === 'boolean' ? [] : [{ path, rule: 'must be true or false', received: value }],
  },
  ['command'],
);

const nameRule: FieldRule = (path, value) =>
  typeof value === 'string' && isDnsLabel(value)
    ? []
    : [{ path, rule: 'must be the name of a container', received: value }];

const imageRule: FieldRule = (path, value) =>
  typeof value === 'string' && value !== ''
    ? []
    : [{ path, rule: 'must name an image', received: value }];

// What else a container may have is for the API server to judge.
const requiredOfContainer: Readonly<Record<string, FieldRule>> = {
  name: nameRule,
  image: imageRule,
  command: commandRule,
};

const initContainerRule: FieldRule = (path, value) =>
  isJsonObject(value)
    ? Object.entries(requiredOfContainer).flatMap(([field, rule]) =>
        (value[field] ?? null) === null
          ? [{ path: `${path}.${field}`, rule: 'is required' }]
          : rule(`${path}.${field}`, value[field] ?? null),
      )
    : [{ path, rule: 'must be a container', received: value }];

const initRule = objectRule(
  'an init hook: initContainers, timeout',
  {
    initContainers: (path, value) =>
      isJsonArray(value) && value.length === 0
        ? [{ path, rule: 'must hold a container', received: value }]
        : listRule('containers', initContainerRule)(path, value),
    timeout: durationRule,
  },
  ['initContainers'],
);

const handlerFields = objectRule('a hook: exec or init', { exec: execRule, init: initRule });

const handlerRule: FieldRule = (path, value) => {
  const given = isJsonObject(value)
    ? ['exec', 'init'].filter((field) => (value[field] ?? null) !== null)
    : ['none'];
  return [
    ...handlerFields(path, value),
    ...(given.length === 1
      ? []
      : [{ path, rule: 'must be one of exec and init', received: value }]),
  ];
};

const restoreHooksRule = hooksRule(
  'the hooks of a restore',
  'a hook for pods: name, filters, postHooks',
  { postHooks: listRule('hooks', handlerRule) },
);

/** Finds everything that is wrong with `spec.hooks` of a restore. */
export function restoreHookViolations(hooks: JsonValue | undefined): readonly Violation[] {
  return hooks === undefined || hooks === null ? [] : restoreHooksRule('spec.hooks', hooks);
}
