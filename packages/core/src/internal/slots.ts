import { unlessAborted } from './unless-aborted.ts';

/** Lets a limited number of pieces of work run at a time, first come first served. */
export class Slots {
  #free: number;
  readonly #waiting: PromiseWithResolvers<void>[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Does the work when there is room. Aborted while it waits: rejects with `signal.reason`, and the work is not begun. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Takes a slot when there is one, which is free again once it is disposed of. Aborted while it waits: rejects with `signal.reason`. */
  async take(signal?: AbortSignal): Promise<Disposable> {
    await this.#enter(signal);
    return { [Symbol.dispose]: () => this.#leave() };
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn);
    try {
      await (signal === undefined ? turn.promise : unlessAborted(turn.promise, signal));
    } catch (error) {
      const index = this.#waiting.indexOf(turn);
      if (index < 0) {
        // Its turn had come just before.
        this.#leave();
      } else {
        this.#waiting.splice(index, 1);
      }
      throw error;
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free += 1;
    } else {
      next.resolve();
    }
  }
}
