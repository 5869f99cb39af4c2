import { defaultHookTimeoutMs, type Hook } from '../hooks/hook.ts';
import { createHookFilter } from '../hooks/hook-filter.ts';
import type { BackupResourceHook, BackupSpec } from '../model/backup.ts';
import { parseDuration } from '../model/duration.ts';
import type { HookStage } from '../model/hook.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { hookFromAnnotations } from './hook-annotations.ts';

/** The hooks of one pod, in the order in which they run. */
export interface PodHooks {
  readonly pre: readonly Hook[];
  readonly post: readonly Hook[];
  /** What in the pod's annotations does not mean what it seems to. */
  readonly problems: readonly string[];
}

/** Finds the hooks of a pod. */
export type HookFinder = (pod: KubernetesObject) => PodHooks;

const stages = ['pre', 'post'] as const;

/**
 * Creates the finder of a valid spec. A hook in a pod's annotations replaces those of the spec for its stage; without one, those of
 * every entry of the spec that lets the pod in run, in order. A pod that has ended has none: nothing runs in it.
 */
export function createHookFinder(spec: BackupSpec): HookFinder {
  const entries = (spec.hooks?.resources ?? []).map((entry) => ({
    lets: createHookFilter(entry),
    hooks: { pre: hooksOf(entry, 'pre'), post: hooksOf(entry, 'post') },
  }));
  return (pod) => {
    const found: Record<HookStage, readonly Hook[]> = { pre: [], post: [] };
    const problems: string[] = [];
    if (['Succeeded', 'Failed'].includes(stringAt(pod, ['status', 'phase']) ?? '')) {
      return { ...found, problems };
    }
    for (const stage of stages) {
      const annotated = hookFromAnnotations(pod.metadata.annotations ?? {}, stage);
      problems.push(...(annotated?.problems ?? []));
      found[stage] =
        annotated === undefined
          ? entries.filter(({ lets }) => lets(pod)).flatMap(({ hooks }) => hooks[stage])
          : [annotated.hook];
    }
    return { ...found, problems };
  };
}

function hooksOf(entry: BackupResourceHook, stage: HookStage): readonly Hook[] {
  return (entry[stage] ?? []).map(({ exec }) => ({
    stage,
    hookName: entry.name,
    containerName: exec.container || undefined,
    command: exec.command,
    onError: exec.onError ?? 'Fail',
    timeoutMs: parseDuration(exec.timeout ?? '') || defaultHookTimeoutMs,
  }));
}
