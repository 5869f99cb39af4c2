import { defaultHookTimeoutMs } from '../../hooks/hook.ts';
import { createHookFilter } from '../../hooks/hook-filter.ts';
import { parseDuration } from '../../model/duration.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { RestoreResourceHook, RestoreSpec } from '../../model/restore.ts';
import { execHookFromAnnotations } from './exec-hook-annotations.ts';
import type { WaitingHook } from './waiting-hook.ts';

/** The exec hooks of one restored pod, in the order in which they run. */
export interface PodRestoreHooks {
  readonly hooks: readonly WaitingHook[];
  /** What in the pod's annotations does not mean what it seems to. */
  readonly problems: readonly string[];
}

/**
 * Creates the finder of a valid spec: which commands to run in a pod that was restored. A hook in its annotations replaces those of
 * the spec; without one, those of every entry that lets the pod in run, in order. Namespaces are those of the target.
 */
export function createRestoreHookFinder(
  spec: RestoreSpec,
): (pod: KubernetesObject) => PodRestoreHooks {
  const entries = (spec.hooks?.resources ?? []).map((entry) => ({
    lets: createHookFilter(entry),
    hooks: hooksOf(entry),
  }));
  return (pod) => {
    const annotated = execHookFromAnnotations(pod.metadata.annotations ?? {});
    return annotated === undefined
      ? {
          hooks: entries.filter(({ lets }) => lets(pod)).flatMap(({ hooks }) => hooks),
          problems: [],
        }
      : { hooks: [annotated.hook], problems: annotated.problems };
  };
}

function hooksOf(entry: RestoreResourceHook): readonly WaitingHook[] {
  return (entry.postHooks ?? []).flatMap(({ exec }) =>
    exec === undefined
      ? []
      : [
          {
            stage: 'post' as const,
            hookName: entry.name,
            containerName: exec.container || undefined,
            command: exec.command,
            onError: exec.onError ?? 'Fail',
            timeoutMs: parseDuration(exec.execTimeout ?? '') || defaultHookTimeoutMs,
            waitTimeoutMs: parseDuration(exec.waitTimeout ?? '') || undefined,
            waitForReady: exec.waitForReady === true,
          },
        ],
  );
}
