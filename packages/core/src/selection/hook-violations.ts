import type { Violation } from '../errors.ts';
import type { JsonValue } from '../model/json.ts';
import { listRule, objectRule } from './field-rules.ts';
import { durationRule, execFields, hooksRule } from './hook-fields.ts';

const execRule = objectRule(
  'an exec hook: container, command, onError, timeout',
  { ...execFields, timeout: durationRule },
  ['command'],
);

const handlersRule = listRule('hooks', objectRule('a hook', { exec: execRule }, ['exec']));

const backupHooksRule = hooksRule(
  'the hooks of a backup',
  'a hook for pods: name, filters, pre, post',
  { pre: handlersRule, post: handlersRule },
);

/** Finds everything that is wrong with `spec.hooks` of a backup. */
export function hookViolations(hooks: JsonValue | undefined): readonly Violation[] {
  return hooks === undefined || hooks === null ? [] : backupHooksRule('spec.hooks', hooks);
}
