import type { HookStage } from '../model/hook.ts';

/** A command to run in a pod. */
export interface Hook {
  readonly stage: HookStage;
  /** Name in the spec; absent for a hook of the pod's annotations. */
  readonly hookName: string | undefined;
  /** Absent: the first container. */
  readonly containerName: string | undefined;
  readonly command: readonly string[];
  readonly onError: 'Continue' | 'Fail';
  readonly timeoutMs: number;
}

/** How long a hook may run that does not say so itself. */
export const defaultHookTimeoutMs = 30_000;
