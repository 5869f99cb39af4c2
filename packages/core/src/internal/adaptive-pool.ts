import type { ConcurrencyWindow } from './concurrency-window.ts';

interface Waiter {
  readonly start: () => void;
}

/** Bounds how much work is under way at a time by a window that may change meanwhile. Work starts in the order it was asked for. */
export class AdaptivePool {
  readonly #window: ConcurrencyWindow;
  readonly #waiting: Waiter[] = [];
  #running = 0;

  constructor(window: ConcurrencyWindow) {
    this.#window = window;
  }

  /** Does the work when there is room for it. Rejects with `signal.reason` when it is aborted before that. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#startWaiting();
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
    signal.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #startWaiting(): void {
    while (this.#running < this.#window.width) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        return;
      }
      this.#running += 1;
      next.start();
    }
  }
}
