import { isServerUnreachable } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';

const pauseMs = 1_000;

/**
 * Does work that must not be left undone because an API server is restarting: while the server is out of reach the work is
 * begun again every second, until the signal aborts. Any other failure is thrown at once. The work has to be repeatable.
 */
export async function onceReachable(
  work: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isServerUnreachable(error)) {
        throw error;
      }
      await clock.sleep(pauseMs, signal);
    }
  }
}
