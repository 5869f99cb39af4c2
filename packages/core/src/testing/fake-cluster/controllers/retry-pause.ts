import type { Clock } from '../../../ports/clock.ts';
import type { Requeue } from './controller.ts';

const firstPauseMs = 5;
const longestPauseMs = 1000;

interface Failures {
  readonly count: number;
  readonly retryAtMs: number;
}

/** Pauses between attempts that grow with each failure of a key, as those of the sidecars do, though from less. */
export class RetryPause {
  readonly #failures: Map<string, Failures> = new Map();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the pause of a key lasts on; `undefined` when an attempt may be made. */
  current(key: string): Requeue | undefined {
    const retryAtMs = this.#failures.get(key)?.retryAtMs ?? 0;
    const afterMs = retryAtMs - this.#clock.now().getTime();
    return afterMs > 0 ? { afterMs } : undefined;
  }

  /** Counts a failure and says when to try again. */
  next(key: string): Requeue {
    const count = this.#failures.get(key)?.count ?? 0;
    const afterMs = Math.min(firstPauseMs * 2 ** count, longestPauseMs);
    const retryAtMs = this.#clock.now().getTime() + afterMs;
    this.#failures.set(key, { count: count + 1, retryAtMs });
    return { afterMs };
  }

  /** Forgets the failures of a key. */
  reset(key: string): void {
    this.#failures.delete(key);
  }
}
