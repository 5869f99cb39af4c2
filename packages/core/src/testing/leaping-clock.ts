import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';

interface Sleeper {
  readonly wakesAtMs: number;
  readonly wake: () => void;
}

// More turns of the event loop than a controller of the fake cluster needs from one request to the next.
const quietTurns = 50;

/**
 * A clock for tests of work that goes on inside the process: when all of it waits for the clock, it leaps to the moment at
 * which the first sleeper wakes. Hours pass at once, and in order.
 */
export class LeapingClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  readonly #activity: () => number;
  #nowMs: number = Date.UTC(2026, 0, 2, 3, 4, 5);
  #isLeaping = false;

  /** `activity` counts what has been done; while the count rises, time stands still. */
  constructor(activity: () => number) {
    this.#activity = activity;
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const sleeper = { wakesAtMs: this.#nowMs + ms, wake };
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', wake, { once: true });
    void this.#leap();
    await promise;
    signal?.removeEventListener('abort', wake);
    this.#sleepers.delete(sleeper);
    signal?.throwIfAborted();
  }

  async #leap(): Promise<void> {
    if (this.#isLeaping) {
      return;
    }
    this.#isLeaping = true;
    while (this.#sleepers.size > 0) {
      await this.#quiet();
      const wakesAtMs = Math.min(...[...this.#sleepers].map((sleeper) => sleeper.wakesAtMs));
      if (Number.isFinite(wakesAtMs)) {
        this.#nowMs = Math.max(this.#nowMs, wakesAtMs);
      }
      for (const sleeper of this.#sleepers) {
        if (sleeper.wakesAtMs <= this.#nowMs) {
          this.#sleepers.delete(sleeper);
          sleeper.wake();
        }
      }
    }
    this.#isLeaping = false;
  }

  async #quiet(): Promise<void> {
    let before = this.#activity();
    for (let turns = 0; turns < quietTurns; turns += 1) {
      await setImmediate();
      const now = this.#activity();
      if (now !== before) {
        before = now;
        turns = 0;
      }
    }
  }
}
