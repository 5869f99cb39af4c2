import { defaultHookTimeoutMs } from '../../hooks/hook.ts';
import { parseHookCommand } from '../../hooks/hook-command.ts';
import type { StringMap } from '../../model/kubernetes.ts';
import { AnnotationReader } from './annotation-reader.ts';
import type { WaitingHook } from './waiting-hook.ts';

/** The hook that a restored pod's annotations ask for. */
export interface AnnotatedExecHook {
  readonly hook: WaitingHook;
  /** Annotations that were not understood, and what counts instead. */
  readonly problems: readonly string[];
}

/** Reads the annotations `post.hook.restore.velero.io/…`. `undefined` when none names a command. */
export function execHookFromAnnotations(annotations: StringMap): AnnotatedExecHook | undefined {
  const reader = new AnnotationReader(annotations, 'post.hook.restore.velero.io/');
  const command = reader.text('command');
  if (command === '') {
    return undefined;
  }
  const timeoutMs =
    reader.milliseconds('exec-timeout', `the hook may take ${defaultHookTimeoutMs / 1000} s`) ?? 0;
  const waitTimeoutMs = reader.milliseconds('wait-timeout', 'the hook has no limit of its own');
  const onError = reader.text('on-error');
  if (!['', 'Continue', 'Fail'].includes(onError)) {
    reader.complain('on-error', 'the hook counts as "Fail"');
  }
  return {
    hook: {
      stage: 'post',
      hookName: undefined,
      containerName: reader.text('container') || undefined,
      command: parseHookCommand(command),
      onError: onError === 'Continue' ? 'Continue' : 'Fail',
      timeoutMs: timeoutMs > 0 ? timeoutMs : defaultHookTimeoutMs,
      // Zero is Velero's word for no limit.
      waitTimeoutMs: waitTimeoutMs === 0 ? undefined : waitTimeoutMs,
      waitForReady: readWaitForReady(reader),
    },
    problems: reader.problems,
  };
}

// As Go reads a boolean.
const yes: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const no: readonly string[] = ['', '0', 'f', 'F', 'FALSE', 'false', 'False'];

function readWaitForReady(reader: AnnotationReader): boolean {
  const text = reader.text('wait-for-ready');
  if (!yes.includes(text) && !no.includes(text)) {
    reader.complain('wait-for-ready', 'the hook waits until the container is running');
  }
  return yes.includes(text);
}
