import { isLifeboatError, messageOf } from '../errors.ts';
import { onceReachable } from '../internal/once-reachable.ts';
import { type Deadline, withDeadline } from '../internal/with-deadline.ts';
import { formatDuration } from '../model/duration.ts';
import type { HookCall, HookEvent, HookResult } from '../model/hook.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { objectsAt, stringAt } from '../model/object-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { ExecResult, PodExec } from '../ports/pod-exec.ts';
import type { Hook } from './hook.ts';

/** What a {@link HookRunner} works with. */
export interface HookRunnerOptions {
  /** Absent: every hook fails. */
  readonly podExec: PodExec | undefined;
  readonly clock: Clock;
  readonly record: {
    /** Called once for every hook, when it has ended. */
    addHook(hook: HookResult): void;
  };
  /** Told when a hook begins. */
  readonly emit: (event: HookEvent) => void;
  /** Whether post hooks are tried again while the API server is out of reach. Their commands have to be repeatable. */
  readonly repeatsPostHooks: boolean;
  readonly logger: Logger;
}

/** How one hook ended, and whether its command may have done something. */
export interface HookRun {
  readonly result: HookResult;
  readonly mayHaveRun: boolean;
}

// Of each of stdout and stderr of one hook, and of all hooks of a run together.
const longestOutputBytes = 4_096;
const longestTotalBytes = 1_048_576;

/** Refusals that come before a command is started. */
const notStarted: readonly string[] = ['Forbidden', 'Unauthorized', 'NotFound', 'RateLimited'];

/** Runs the hooks of a backup or a restore and records how each ended. What is kept of their output is bounded, also in total. */
export class HookRunner {
  readonly #options: HookRunnerOptions;
  #outputBytes = 0;

  constructor(options: HookRunnerOptions) {
    this.#options = options;
  }

  /**
   * Runs a hook of a pod, for as long as it may take. A hook that fails, or that an abort cuts off, is a result; the call never
   * rejects.
   */
  async run(pod: KubernetesObject, hook: Hook, signal?: AbortSignal): Promise<HookRun> {
    const { record, emit, clock, logger } = this.#options;
    const { hookName, stage, command } = hook;
    const { name: podName, namespace = '' } = pod.metadata;
    const containers = containerNamesOf(pod);
    const containerName = hook.containerName ?? containers[0] ?? '';
    const call: HookCall = { stage, namespace, podName, containerName, command, hookName };
    emit({ type: 'hook', state: 'Started', hook: call });
    const startedAt = clock.now().getTime();
    const ending = containers.includes(containerName)
      ? await this.#exec(call, hook.timeoutMs, signal)
      : { mayHaveRun: false, message: noContainer(containerName, containers) };
    const durationMs = clock.now().getTime() - startedAt;
    const result = { ...call, ...this.#resultOf(ending), durationMs };
    const { exitCode, outcome } = result;
    const fields = { stage, namespace, name: podName, container: containerName };
    logger.info('a hook has run', { ...fields, outcome, exitCode, durationMs });
    record.addHook(result);
    return { result, mayHaveRun: ending.mayHaveRun };
  }

  async #exec(
    { stage, namespace, podName, containerName, command }: HookCall,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Ending> {
    const { podExec, clock, repeatsPostHooks } = this.#options;
    if (podExec === undefined) {
      return { mayHaveRun: false, message: cannotExec };
    }
    using deadline = withDeadline(signal, timeoutMs, clock);
    const room = Math.max(0, longestTotalBytes - this.#outputBytes);
    const maximumOutputBytes = Math.min(longestOutputBytes, room);
    let exec: ExecResult | undefined;
    const work = async (): Promise<void> => {
      deadline.signal.throwIfAborted();
      exec = await podExec.exec(
        { namespace, podName, containerName, command },
        { signal: deadline.signal, maximumOutputBytes },
      );
    };
    try {
      await (stage === 'post' && repeatsPostHooks
        ? onceReachable(work, clock, deadline.signal)
        : work());
    } catch (error) {
      const mayHaveRun = !(isLifeboatError(error) && notStarted.includes(error.code));
      const isAborted = signal?.aborted && !deadline.expired;
      return {
        mayHaveRun,
        message: isAborted ? abortedMessage : explain(error, deadline, timeoutMs),
      };
    }
    return { mayHaveRun: true, exec, maximumOutputBytes };
  }

  #resultOf({
    exec,
    message,
    maximumOutputBytes = 0,
  }: Ending): Pick<
    HookResult,
    'outcome' | 'exitCode' | 'message' | 'stdout' | 'stderr' | 'truncated'
  > {
    if (exec === undefined) {
      return { outcome: 'Failed', message, stdout: '', stderr: '', truncated: false };
    }
    const { exitCode } = exec;
    const stdout = exec.stdout.subarray(0, maximumOutputBytes);
    const stderr = exec.stderr.subarray(0, maximumOutputBytes);
    this.#outputBytes += stdout.byteLength + stderr.byteLength;
    return {
      outcome: exitCode === 0 ? 'Succeeded' : 'Failed',
      exitCode,
      message: exitCode === 0 ? undefined : `exit code ${exitCode}`,
      stdout: Buffer.from(stdout).toString(),
      stderr: Buffer.from(stderr).toString(),
      truncated: exec.truncated,
    };
  }
}

const abortedMessage = 'the run was aborted; the command may still be running';

function explain(error: unknown, { expired }: Deadline, timeoutMs: number): string {
  return expired
    ? `it did not end within ${formatDuration(timeoutMs)}, and may still be running`
    : messageOf(error);
}

interface Ending {
  readonly mayHaveRun: boolean;
  readonly exec?: ExecResult | undefined;
  readonly maximumOutputBytes?: number | undefined;
  readonly message?: string | undefined;
}

/** Why no hook can run in an engine without `podExec`. */
export const cannotExec = 'the engine was made without podExec, so it cannot run commands in pods';

/** Why a hook cannot run in a container that its pod does not have. */
export function noContainer(name: string, containers: readonly string[]): string {
  return `the pod has no container ${JSON.stringify(name)}; it has ${containers.join(', ')}`;
}

/** The containers that commands can run in: the first of the pod's own comes first. */
export function containerNamesOf(pod: KubernetesObject): readonly string[] {
  return ['containers', 'initContainers']
    .flatMap((field) => objectsAt(pod, ['spec', field]))
    .flatMap((container) => stringAt(container, ['name']) ?? []);
}
