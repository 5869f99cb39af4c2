import { LifeboatError } from '../errors.ts';
import type { Hook } from '../hooks/hook.ts';
import type { HookRunner } from '../hooks/hook-runner.ts';
import { identifierOf, type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { BackupRecord } from './backup-record.ts';
import type { PodHooks } from './pod-hooks.ts';

/**
 * The time between the pre and the post hooks of one pod, in which its application may be frozen. Once a pre hook may have run,
 * the post hooks run, whatever happens.
 */
export class PodHookWindow {
  readonly #pod: KubernetesObject;
  readonly #hooks: PodHooks;
  readonly #runner: HookRunner;
  readonly #record: BackupRecord;
  #touched = false;
  #refused = false;
  #quiesced = false;
  #closed: Promise<void> | undefined;

  constructor(
    { pod, hooks }: { readonly pod: KubernetesObject; readonly hooks: PodHooks },
    { runner, record }: { readonly runner: HookRunner; readonly record: BackupRecord },
  ) {
    this.#pod = pod;
    this.#hooks = hooks;
    this.#runner = runner;
    this.#record = record;
  }

  /** Whether the application stands still, as far as its pre hooks can tell: there are some, and all have succeeded. */
  get quiesced(): boolean {
    return this.#quiesced;
  }

  /**
   * Runs the pre hooks in order. Resolves with `false` when one of them failed that must not: then the post hooks have run too, and
   * the pod is not to be backed up. Rejects only with the reason of an abort.
   */
  async open(signal: AbortSignal): Promise<boolean> {
    let failed = false;
    for (const [index, hook] of this.#hooks.pre.entries()) {
      signal.throwIfAborted();
      // Before it starts: an abort may close the window while the command is under way.
      const before = this.#touched;
      this.#touched = true;
      const { result, mayHaveRun } = await this.#runner.run(this.#pod, hook, signal);
      this.#touched = before || mayHaveRun;
      signal.throwIfAborted();
      if (result.outcome === 'Succeeded') {
        continue;
      }
      failed = true;
      this.#report(hook, index, result.message);
      if (hook.onError === 'Fail') {
        this.#refused = true;
        await this.close();
        return false;
      }
    }
    this.#quiesced = !failed && this.#hooks.pre.length > 0;
    return true;
  }

  /**
   * Runs the post hooks, all of them and each within its own time, whether or not the backup is aborted: after an undisturbed
   * window, or when a pre hook may have run. Repeated calls wait for the first. Never rejects.
   */
  close({ undisturbed = false }: { readonly undisturbed?: boolean } = {}): Promise<void> {
    const isDue = this.#touched || (undisturbed && !this.#refused);
    return (this.#closed ??= isDue ? this.#runPostHooks() : Promise.resolve());
  }

  async #runPostHooks(): Promise<void> {
    for (const [index, hook] of this.#hooks.post.entries()) {
      const { result } = await this.#runner.run(this.#pod, hook);
      if (result.outcome === 'Failed') {
        this.#report(hook, index, result.message);
      }
    }
  }

  #report(hook: Hook, index: number, reason = ''): void {
    const { stage, hookName, onError } = hook;
    const origin =
      hookName === undefined ? 'of the annotations' : `of hook ${JSON.stringify(hookName)}`;
    const message = `${stage} hook ${index + 1} of ${this.#hooks[stage].length}, ${origin}, failed: ${reason}; ${consequenceOf(stage, onError)}`;
    const object = identifierOf(referenceTo(Resources.pods, this.#pod));
    this.#record.addError(
      { reason: 'HookFailed', message, object },
      new LifeboatError(message, { code: 'Unknown', operation: 'backup' }),
    );
  }
}

function consequenceOf(stage: 'pre' | 'post', onError: 'Continue' | 'Fail'): string {
  if (stage === 'post') {
    return 'what a pre hook has stopped may still be stopped';
  }
  return onError === 'Fail'
    ? 'the pod is not in the backup, and its claims are snapshotted without hooks'
    : 'the pod is backed up all the same';
}
