import type { Clock } from '../ports/clock.ts';

/** Turns of the event loop that work between two sleeps may take. */
const turnsUntilQuiet = 20;

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/**
 * A clock that stands still until a test turns it. Sleeps end only through {@link ManualClock.advance}, or when their
 * signal aborts.
 *
 * @example
 * ```ts
 * const clock = new ManualClock();
 * const slept = clock.sleep(60_000);
 * await clock.advance(60_000);
 * await slept;
 * ```
 */
export class ManualClock implements Clock {
  readonly #sleepers: Set<Sleeper> = new Set();
  #nowMs: number;

  /** @param start - the first moment; 2026-01-01T00:00:00Z if none is given. */
  constructor(start: Date = new Date('2026-01-01T00:00:00Z')) {
    this.#nowMs = start.getTime();
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  /** Resolves when the clock has been turned so far, at once for zero or less; rejects with the reason of an abort. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (ms <= 0) {
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { dueMs: this.#nowMs + ms, wake: resolve };
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', sleeper.wake, { once: true });
    try {
      await promise;
    } finally {
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener('abort', sleeper.wake);
    }
    signal?.throwIfAborted();
  }

  /**
   * Turns the clock, stopping at each sleep that ends on the way, the earliest first, so that what it wakes can sleep
   * again within the same turn. Only what is asleep already is woken: work that is on its way to a sleep is not waited for.
   */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    for (let next = this.#nextDue(targetMs); next !== undefined; next = this.#nextDue(targetMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#sleepers.delete(next);
      next.wake();
      await quiet();
    }
    this.#nowMs = targetMs;
    await quiet();
  }

  #nextDue(targetMs: number): Sleeper | undefined {
    return [...this.#sleepers]
      .filter(({ dueMs }) => dueMs <= targetMs)
      .toSorted((left, right) => left.dueMs - right.dueMs)[0];
  }
}

/** Lets what has been woken go on until it sleeps again, as far as it waits for nothing else. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < turnsUntilQuiet; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
