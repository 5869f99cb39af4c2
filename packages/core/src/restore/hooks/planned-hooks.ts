import { cannotExec, containerNamesOf, noContainer } from '../../hooks/hook-runner.ts';
import type { HookCall } from '../../model/hook.ts';
import type { Issue } from '../../model/issue.ts';
import { compareCodePoints } from '../../model/json.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { RestoreSpec } from '../../model/restore.ts';
import { hookAnnotationIssues, hookFailedIssue } from './hook-failed-issue.ts';
import { createRestoreHookFinder } from './restore-hook-finder.ts';
import type { WaitingHook } from './waiting-hook.ts';

/** Collects the exec hooks that a restore would run in the pods that it creates. Runs nothing. */
export class PlannedHooks {
  readonly #find: ReturnType<typeof createRestoreHookFinder>;
  readonly #canExec: boolean;
  readonly #calls: HookCall[] = [];

  /** @param canExec - whether the engine can run commands in pods. */
  constructor(spec: RestoreSpec, canExec: boolean) {
    this.#find = createRestoreHookFinder(spec);
    this.#canExec = canExec;
  }

  /** Sorted by namespace and pod; those of a pod in their order. */
  get calls(): readonly HookCall[] {
    return this.#calls.toSorted(
      (left, right) =>
        compareCodePoints(left.namespace, right.namespace) ||
        compareCodePoints(left.podName, right.podName),
    );
  }

  /** Adds the hooks of a pod as it would be created, and returns what is wrong with them. */
  add(pod: KubernetesObject): readonly Issue[] {
    const { hooks, problems } = this.#find(pod);
    const containers = containerNamesOf(pod);
    const failures: Issue[] = [];
    for (const hook of hooks) {
      const containerName = hook.containerName ?? containers[0] ?? '';
      const obstacle = this.#obstacleOf(containerName, containers);
      if (obstacle === undefined) {
        this.#calls.push(callOf(pod, hook, containerName));
      } else {
        failures.push(hookFailedIssue(pod, hooks, hook, obstacle));
      }
    }
    return [...hookAnnotationIssues(pod, problems), ...failures];
  }

  #obstacleOf(containerName: string, containers: readonly string[]): string | undefined {
    if (!this.#canExec) {
      return `it was not run: ${cannotExec}`;
    }
    return containers.includes(containerName) ? undefined : noContainer(containerName, containers);
  }
}

function callOf(
  { metadata: { namespace = '', name: podName } }: KubernetesObject,
  { stage, hookName, command }: WaitingHook,
  containerName: string,
): HookCall {
  const call = { stage, namespace, podName, containerName, command };
  return hookName === undefined ? call : { ...call, hookName };
}
