import type { Issue } from '../../model/issue.ts';
import { identifierOf, type KubernetesObject, referenceTo } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import type { WaitingHook } from './waiting-hook.ts';

/** The issue of one hook of a restored pod that failed, or cannot be run. */
export function hookFailedIssue(
  pod: KubernetesObject,
  hooks: readonly WaitingHook[],
  hook: WaitingHook,
  reason: string,
): Issue {
  const origin =
    hook.hookName === undefined ? 'of the annotations' : `of hook ${JSON.stringify(hook.hookName)}`;
  return {
    severity: 'error',
    reason: 'HookFailed',
    message: `restore hook ${hooks.indexOf(hook) + 1} of ${hooks.length}, ${origin}, failed: ${reason}`,
    object: identifierOf(referenceTo(Resources.pods, pod)),
  };
}

/** The issues of annotations about hooks that do not mean what they seem to. */
export function hookAnnotationIssues(
  pod: KubernetesObject,
  problems: readonly string[],
): readonly Issue[] {
  return problems.map((message) => ({
    severity: 'warning',
    reason: 'InvalidHookAnnotation',
    message,
    object: identifierOf(referenceTo(Resources.pods, pod)),
  }));
}
