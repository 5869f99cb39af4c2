import type { ConcurrencyWindow } from './concurrency-window.ts';
import { onAbort } from './on-abort.ts';

interface Waiter {
  readonly start: () => void;
}

/** Options of {@link AdaptivePool}. */
export interface AdaptivePoolOptions {
  /** How much work may pause at a time before no more is let in; at least one. @default any amount */
  readonly maximumPaused?: number | undefined;
}

/** Bounds how much work is under way at a time by a window that may change meanwhile. Work starts in the order it was asked for. */
export class AdaptivePool {
  readonly #window: ConcurrencyWindow;
  readonly #maximumPaused: number;
  readonly #waiting: Waiter[] = [];
  #running = 0;
  #paused = 0;
  readonly #forRoom: (() => void)[] = [];

  constructor(
    window: ConcurrencyWindow,
    { maximumPaused = Number.POSITIVE_INFINITY }: AdaptivePoolOptions = {},
  ) {
    this.#window = window;
    this.#maximumPaused = maximumPaused;
  }

  /** How much work may be under way now. */
  get width(): number {
    return this.#window.width;
  }

  /** Does the work when there is room for it. Rejects with `signal.reason` when it is aborted before that. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /**
   * Waits for something from outside, within work that {@link run} has begun: meanwhile other work has its place. It goes on before
   * work that has not begun, and not without a place, even after an abort: what it has to clean up then is bounded too.
   */
  async pause<T>(wait: () => Promise<T>): Promise<T> {
    this.#paused += 1;
    this.#leave();
    try {
      return await wait();
    } finally {
      this.#paused -= 1;
      await this.#enterAgain();
      this.#tellRoom();
    }
  }

  /**
   * Passes items on one by one, the next only when there is a place for its work, and not too much work pauses. So whoever starts work
   * for each keeps few of them in memory.
   */
  async *admitted<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
    for await (const item of items) {
      while (!this.#hasRoom()) {
        await this.#room(signal);
      }
      yield item;
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#window.width) {
      this.#running += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { start: resolve };
    const leave = (): void => {
      const index = this.#waiting.indexOf(waiter);
      if (index >= 0) {
        this.#waiting.splice(index, 1);
        reject(signal.reason);
      }
    };
    this.#waiting.push(waiter);
    const forget = onAbort(signal, leave);
    try {
      await promise;
    } finally {
      forget();
    }
  }

  async #enterAgain(): Promise<void> {
    if (this.#running < this.#window.width) {
      this.#running += 1;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.unshift({ start: resolve });
    await promise;
  }

  #leave(): void {
    this.#running -= 1;
    while (this.#running < this.#window.width) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        break;
      }
      this.#running += 1;
      next.start();
    }
    this.#tellRoom();
  }

  /** Waits until there may be room. */
  async #room(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const forget = onAbort(signal, () => reject(signal.reason));
    this.#forRoom.push(resolve);
    try {
      await promise;
    } finally {
      forget();
    }
  }

  #tellRoom(): void {
    if (this.#forRoom.length > 0 && this.#hasRoom()) {
      for (const tell of this.#forRoom.splice(0)) {
        tell();
      }
    }
  }

  #hasRoom(): boolean {
    return this.#running < this.#window.width && this.#paused < this.#maximumPaused;
  }
}
