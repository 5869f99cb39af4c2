import { defaultHookTimeoutMs, type Hook } from '../hooks/hook.ts';
import { parseHookCommand } from '../hooks/hook-command.ts';
import { parseDuration } from '../model/duration.ts';
import type { HookStage } from '../model/hook.ts';
import type { StringMap } from '../model/kubernetes.ts';

/** The hook that a pod's annotations ask for. */
export interface AnnotatedHook {
  readonly hook: Hook;
  /** Annotations that were not understood, and what counts instead. */
  readonly problems: readonly string[];
}

/**
 * Reads the annotations `pre.hook.backup.velero.io/…` or `post.hook.backup.velero.io/…`; without the former also
 * `hook.backup.velero.io/…`, from times when there were no post hooks. `undefined` when none names a command.
 */
export function hookFromAnnotations(
  annotations: StringMap,
  stage: HookStage,
): AnnotatedHook | undefined {
  const prefixes = [`${stage}.hook.backup.velero.io/`];
  if (stage === 'pre') {
    prefixes.push('hook.backup.velero.io/');
  }
  const prefix = prefixes.find((one) => (annotations[`${one}command`] ?? '') !== '');
  if (prefix === undefined) {
    return undefined;
  }
  const valueOf = (field: string): string => annotations[`${prefix}${field}`] ?? '';
  const problems: string[] = [];
  const complain = (field: string, instead: string): void => {
    const quoted = JSON.stringify(valueOf(field));
    problems.push(`annotation ${prefix}${field} is ${quoted}, which means nothing; ${instead}`);
  };

  const timeoutMs = parseDuration(valueOf('timeout')) ?? 0;
  if (valueOf('timeout') !== '' && timeoutMs <= 0) {
    complain('timeout', `the hook may take ${defaultHookTimeoutMs / 1000} s`);
  }
  const onError = valueOf('on-error');
  if (!['', 'Continue', 'Fail'].includes(onError)) {
    complain('on-error', 'the hook counts as "Fail"');
  }
  return {
    hook: {
      stage,
      hookName: undefined,
      containerName: valueOf('container') || undefined,
      command: parseHookCommand(valueOf('command')),
      onError: onError === 'Continue' ? 'Continue' : 'Fail',
      timeoutMs: timeoutMs > 0 ? timeoutMs : defaultHookTimeoutMs,
    },
    problems,
  };
}
