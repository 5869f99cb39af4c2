import type { Hook } from '../../hooks/hook.ts';

/** A command to run in a restored pod once its container has started. */
export interface WaitingHook extends Hook {
  /** How long after the pod was created its container may take to start; absent: as long as the restore lets hooks wait. */
  readonly waitTimeoutMs: number | undefined;
  /** Whether the container has to be ready, not just running. It then holds for all hooks of the pod in that container. */
  readonly waitForReady: boolean;
}
