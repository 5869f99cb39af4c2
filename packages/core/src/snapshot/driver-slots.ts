import type { CallOptions } from '../ports/object-store.ts';

/** Admits a limited number of snapshots per CSI driver at a time: storage refuses what comes in too large a burst. */
export class DriverSlots {
  readonly #limit: number;
  readonly #queues = new Map<string, DriverQueue>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Waits for a free slot of a driver, first come first served. Dispose it to pass it on; repeated disposal does nothing.
   * Aborted while waiting: the place in the queue is given up and the call rejects with `signal.reason`.
   */
  async acquire(driver: string, { signal }: CallOptions = {}): Promise<Disposable> {
    signal?.throwIfAborted();
    const queue = this.#queueOf(driver);
    if (queue.taken < this.#limit) {
      queue.taken += 1;
    } else {
      await waitForTurn(queue, signal);
    }
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) {
          held = false;
          passOn(queue);
        }
      },
    };
  }

  #queueOf(driver: string): DriverQueue {
    const queue = this.#queues.get(driver) ?? { taken: 0, waiting: new Set() };
    this.#queues.set(driver, queue);
    return queue;
  }
}

interface DriverQueue {
  taken: number;
  /** In order of arrival. */
  readonly waiting: Set<() => void>;
}

// A turn is the slot itself, handed over: `taken` does not change.
async function waitForTurn(queue: DriverQueue, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const take = (): void => resolve();
  queue.waiting.add(take);
  signal?.addEventListener('abort', take, { once: true });
  await promise;
  signal?.removeEventListener('abort', take);
  if (queue.waiting.delete(take)) {
    signal?.throwIfAborted();
  }
}

function passOn(queue: DriverQueue): void {
  const [next] = queue.waiting;
  if (next === undefined) {
    queue.taken -= 1;
    return;
  }
  queue.waiting.delete(next);
  next();
}
