import { messageOf } from '../../errors.ts';
import { HookRunner } from '../../hooks/hook-runner.ts';
import { AbortScope } from '../../internal/abort-scope.ts';
import { Slots } from '../../internal/slots.ts';
import type { Issue } from '../../model/issue.ts';
import {
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  referenceTo,
} from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import type { Restore } from '../../model/restore.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Logger } from '../../ports/logger.ts';
import type { PodExec } from '../../ports/pod-exec.ts';
import type { CreatedItem } from '../after-creation.ts';
import type { RestoreRecord } from '../restore-record.ts';
import { hookAnnotationIssues } from './hook-failed-issue.ts';
import { PodHookRun } from './pod-hook-run.ts';
import { createRestoreHookFinder } from './restore-hook-finder.ts';
import { RestoredPods } from './restored-pods.ts';
import type { WaitingHook } from './waiting-hook.ts';

/** What {@link RestoreHooks} works with. */
export interface RestoreHooksOptions {
  readonly cluster: Cluster;
  /** Absent: every hook fails. */
  readonly podExec: PodExec | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly restore: Restore;
  readonly record: RestoreRecord;
  /** How many pods run their hooks at a time. */
  readonly hookedPods: number;
  /** How long a hook may wait that sets no limit itself. */
  readonly hookWaitTimeoutMs: number;
  readonly signal: AbortSignal;
}

const pods = groupResourceOf(Resources.pods);

/**
 * Runs the exec hooks of restored pods while the restore goes on: each pod's when its containers have started. Dispose it, and what
 * still waits or runs is cut off and awaited; a command may go on in its container.
 */
export class RestoreHooks implements AsyncDisposable {
  readonly #options: RestoreHooksOptions;
  readonly #find: ReturnType<typeof createRestoreHookFinder>;
  readonly #scope: AbortScope;
  readonly #pods: RestoredPods;
  readonly #runner: HookRunner;
  readonly #slots: Slots;
  readonly #running = new Set<Promise<void>>();

  constructor(options: RestoreHooksOptions) {
    const { cluster, restore, record, hookedPods } = options;
    this.#options = options;
    this.#find = createRestoreHookFinder(restore.spec);
    this.#scope = new AbortScope(options.signal);
    this.#pods = new RestoredPods({
      cluster,
      restoreName: restore.metadata.name,
      signal: this.#scope.signal,
    });
    this.#runner = new HookRunner({
      ...options,
      emit: (event) => record.report(event),
      repeatsPostHooks: false,
    });
    this.#slots = new Slots(hookedPods);
  }

  /** Starts the hooks of a pod that was created. Other objects have none. */
  readonly afterCreation = async ({
    reference,
    created,
  }: CreatedItem): Promise<readonly Issue[]> => {
    if (groupResourceOf(reference) !== pods) {
      return [];
    }
    const { hooks, problems } = this.#find(created);
    if (hooks.length > 0) {
      const run = this.#run(created, hooks).finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
    return hookAnnotationIssues(created, problems);
  };

  /** Resolves when every hook has ended. Aborted: rejects with `signal.reason` when what ran is cut off. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
    this.#options.signal.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#scope.abort(new Error('the restore has ended'));
    await Promise.all(this.#running);
    await this.#pods.ended();
    this.#scope[Symbol.dispose]();
  }

  // Never rejects: nobody may be waiting, and of an abort `settle` tells.
  async #run(pod: KubernetesObject, hooks: readonly WaitingHook[]): Promise<void> {
    const { signal } = this.#scope;
    try {
      const watched = await this.#pods.follow(pod);
      const options = { ...this.#options, watched, runner: this.#runner, slots: this.#slots };
      await new PodHookRun(pod, hooks, options).run(signal);
    } catch (error) {
      if (!signal.aborted) {
        this.#options.record.addIssue({
          severity: 'error',
          reason: 'HookFailed',
          message: `the restore hooks of the pod could not be run: ${messageOf(error)}`,
          object: identifierOf(referenceTo(Resources.pods, pod)),
        });
      }
    } finally {
      this.#pods.forget(pod);
    }
  }
}
