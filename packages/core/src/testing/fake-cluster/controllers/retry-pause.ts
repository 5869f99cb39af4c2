import type { Requeue } from './controller.ts';

const firstPauseMs = 5;
const longestPauseMs = 1000;

/** Pauses between attempts that grow with each failure of a key, as those of the sidecars do, though from less. */
export class RetryPause {
  readonly #failures: Map<string, number> = new Map();

  /** Counts a failure and says when to try again. */
  next(key: string): Requeue {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    return { afterMs: Math.min(firstPauseMs * 2 ** failures, longestPauseMs) };
  }

  /** Forgets the failures of a key. */
  reset(key: string): void {
    this.#failures.delete(key);
  }
}
