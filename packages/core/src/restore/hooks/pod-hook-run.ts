import { cannotExec, type HookRunner } from '../../hooks/hook-runner.ts';
import type { Slots } from '../../internal/slots.ts';
import { withDeadline } from '../../internal/with-deadline.ts';
import { formatDuration } from '../../model/duration.ts';
import type { HookResult } from '../../model/hook.ts';
import type { Issue } from '../../model/issue.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { objectsAt, stringAt } from '../../model/object-path.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PodExec } from '../../ports/pod-exec.ts';
import { hookFailedIssue } from './hook-failed-issue.ts';
import { hookStepOf } from './hook-step.ts';
import type { WaitingHook } from './waiting-hook.ts';
import type { WatchedPod, WatchedPodState } from './watched-pod.ts';

/** What {@link PodHookRun} works with. */
export interface PodHookRunOptions {
  readonly watched: WatchedPod;
  /** Absent: no hook is run, and none is waited for. */
  readonly podExec: PodExec | undefined;
  readonly runner: HookRunner;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly record: {
    addHook(hook: HookResult): void;
    addIssue(issue: Issue): void;
  };
  /** How long a hook may wait that sets no limit itself. */
  readonly hookWaitTimeoutMs: number;
}

/**
 * The hooks of one restored pod: those of a container run, in order, when it has started. Time in which other hooks of the pod run
 * is no waiting. A hook that is not run is a failure of its own.
 */
export class PodHookRun {
  readonly #pod: KubernetesObject;
  readonly #hooks: readonly WaitingHook[];
  readonly #options: PodHookRunOptions;
  readonly #waiting: Map<string, readonly WaitingHook[]>;
  #waitedMs = 0;
  #stopped: string | undefined;

  constructor(pod: KubernetesObject, hooks: readonly WaitingHook[], options: PodHookRunOptions) {
    this.#pod = pod;
    this.#hooks = hooks;
    this.#options = options;
    this.#waiting = Map.groupBy(hooks, (hook) => containerOf(hook, pod));
    this.#stopped = options.podExec === undefined ? cannotExec : undefined;
  }

  /** Runs the hooks as their containers start, and resolves when each has ended or will not run. Rejects only when aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { watched } = this.#options;
    while (this.#waiting.size > 0 && this.#stopped === undefined) {
      signal.throwIfAborted();
      const { state } = watched;
      if (state.kind !== 'seen') {
        this.#stopped = state.kind === 'gone' ? 'the pod was deleted' : state.why;
      } else if (!(await this.#goOn(state.pod, signal))) {
        await this.#waitForChange(state, signal);
      }
    }
    for (const hook of [...this.#waiting.values()].flat()) {
      this.#reportNotRun(hook, this.#stopped ?? '');
    }
  }

  /** Runs the hooks of the first container that can, or gives those up that never will; `false` when there is neither. */
  async #goOn(pod: KubernetesObject, signal: AbortSignal): Promise<boolean> {
    for (const [containerName, hooks] of this.#waiting) {
      const waitForReady = hooks.some((hook) => hook.waitForReady);
      const step = hookStepOf({ pod, containerName, waitForReady });
      if (step.kind === 'wait') {
        continue;
      }
      this.#waiting.delete(containerName);
      if (step.kind === 'run') {
        await this.#options.slots.run(() => this.#runInOrder(hooks, signal), signal);
      } else {
        this.#giveUp(hooks, step.why);
      }
      return true;
    }
    return false;
  }

  async #runInOrder(hooks: readonly WaitingHook[], signal: AbortSignal): Promise<void> {
    for (const [index, hook] of hooks.entries()) {
      if (hook.waitTimeoutMs !== undefined && this.#waitedMs > hook.waitTimeoutMs) {
        this.#giveUp([hook], startedTooLate(hook.waitTimeoutMs));
      } else {
        const { result } = await this.#options.runner.run(this.#pod, hook, signal);
        signal.throwIfAborted();
        if (result.outcome === 'Failed') {
          this.#report(hook, result.message ?? '');
          this.#stopAfter(hook);
        }
      }
      if (this.#stopped !== undefined) {
        for (const left of hooks.slice(index + 1)) {
          this.#reportNotRun(left, this.#stopped);
        }
        return;
      }
    }
  }

  async #waitForChange(known: WatchedPodState, signal: AbortSignal): Promise<void> {
    const { watched, clock, hookWaitTimeoutMs } = this.#options;
    const limitMs = Math.max(
      ...[...this.#waiting.values()]
        .flat()
        .map(({ waitTimeoutMs = hookWaitTimeoutMs }) => waitTimeoutMs),
    );
    const startedAt = clock.now().getTime();
    using deadline = withDeadline(signal, Math.max(0, limitMs - this.#waitedMs), clock);
    try {
      await watched.changedFrom(known, deadline.signal);
    } catch (error) {
      if (!deadline.expired) {
        throw error;
      }
      this.#stopped = startedTooLate(limitMs);
    }
    this.#waitedMs += clock.now().getTime() - startedAt;
  }

  #giveUp(hooks: readonly WaitingHook[], why: string): void {
    for (const hook of hooks) {
      this.#reportNotRun(hook, why);
      this.#stopAfter(hook);
    }
  }

  #stopAfter({ onError }: WaitingHook): void {
    if (onError === 'Fail') {
      this.#stopped ??= 'a hook of the pod before it failed';
    }
  }

  #reportNotRun(hook: WaitingHook, why: string): void {
    const { stage, hookName, command } = hook;
    const { namespace = '', name: podName } = this.#pod.metadata;
    const message = `it was not run: ${why}`;
    this.#options.record.addHook({
      ...{ stage, namespace, podName, command, hookName, message },
      containerName: containerOf(hook, this.#pod),
      outcome: 'Failed',
      durationMs: 0,
      stdout: '',
      stderr: '',
      truncated: false,
    });
    this.#report(hook, message);
  }

  #report(hook: WaitingHook, reason: string): void {
    const { record } = this.#options;
    record.addIssue(hookFailedIssue(this.#pod, this.#hooks, hook, reason));
  }
}

function startedTooLate(limitMs: number): string {
  return `its container was not ready for it within ${formatDuration(limitMs)}`;
}

function containerOf({ containerName }: WaitingHook, pod: KubernetesObject): string {
  const [first] = objectsAt(pod, ['spec', 'containers']);
  return containerName ?? (first && stringAt(first, ['name'])) ?? '';
}
