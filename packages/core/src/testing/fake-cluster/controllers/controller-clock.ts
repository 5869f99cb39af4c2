import type { Clock } from '../../../ports/clock.ts';

/** The clock that controllers sleep by: it knows how many of them do so in the midst of work. */
export class ControllerClock implements Clock {
  readonly #clock: Clock;
  readonly #onSleep: Set<() => void> = new Set();
  #sleepers = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many pieces of work sleep. */
  get sleepers(): number {
    return this.#sleepers;
  }

  now(): Date {
    return this.#clock.now();
  }

  /** Sleeps between two looks, when no work is under way. */
  async rest(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal);
  }

  /** Sleeps in the midst of work. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.#sleepers += 1;
    for (const listener of this.#onSleep) {
      listener();
    }
    try {
      await this.#clock.sleep(ms, signal);
    } finally {
      this.#sleepers -= 1;
    }
  }

  /** Calls a listener whenever a sleep begins. */
  onSleep(listener: () => void): void {
    this.#onSleep.add(listener);
  }
}
