import type { CallOptions } from '../ports/object-store.ts';

/** The volume that a snapshot is to be taken of. */
export interface SnapshotSource {
  readonly driver: string;
  readonly volumeHandle: string;
  /** Whether it goes before those that wait already and are not urgent. @default false */
  readonly urgent?: boolean | undefined;
}

// Snapshots that are under way together meet the same refusal; it counts once.
const sameRefusalMs = 5_000;

/**
 * Admits a limited number of snapshots per CSI driver at a time, since storage refuses what comes in too large a burst, and
 * one per volume. While a driver refuses, the limit is halved again and again, down to one; with every snapshot it then cuts,
 * the limit grows by one until it is back.
 */
export class DriverSlots {
  readonly #most: number;
  readonly #drivers = new Map<string, DriverLoad>();
  readonly #volumes = new Map<string, Queue>();

  constructor(limit: number) {
    this.#most = limit;
  }

  /**
   * Waits for a free slot, the urgent first and otherwise first come first served. Dispose it to pass it on; repeated disposal does nothing. Aborted while
   * waiting: the place in the queue is given up and the call rejects with `signal.reason`.
   */
  async acquire(
    { driver, volumeHandle, urgent = false }: SnapshotSource,
    { signal }: CallOptions = {},
  ): Promise<Disposable> {
    signal?.throwIfAborted();
    // The volume first: who waits for it does not keep others from the driver.
    const key = `${driver}/${volumeHandle}`;
    const volume = this.#volumes.get(key) ?? new Queue(1);
    this.#volumes.set(key, volume);
    const volumeSlot = await volume.enter(urgent, signal);
    const release = (): void => {
      volumeSlot[Symbol.dispose]();
      if (volume.isEmpty) {
        this.#volumes.delete(key);
      }
    };
    try {
      const driverSlot = await this.#freshLoadOf(driver).queue.enter(urgent, signal);
      return {
        [Symbol.dispose]: () => {
          driverSlot[Symbol.dispose]();
          release();
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Takes that a driver refuses because of its load: fewer are admitted. */
  reportRefusal(driver: string, nowMs: number): void {
    const load = this.#loadOf(driver);
    load.refusingSinceMs ??= nowMs;
    if (nowMs - (load.reducedAtMs ?? Number.NEGATIVE_INFINITY) >= sameRefusalMs) {
      load.reducedAtMs = nowMs;
      load.queue.setLimit(Math.max(1, Math.floor(load.queue.limit / 2)));
    }
  }

  /** Takes that a driver has cut a snapshot: one more is admitted, up to the limit. */
  reportSuccess(driver: string): void {
    const load = this.#loadOf(driver);
    load.refusingSinceMs = undefined;
    load.queue.setLimit(Math.min(this.#most, load.queue.limit + 1));
  }

  /** Since when a driver has refused every snapshot; absent when it does not. */
  refusingSinceMs(driver: string): number | undefined {
    return this.#drivers.get(driver)?.refusingSinceMs;
  }

  // What a driver refused to an earlier run says nothing about this one.
  #freshLoadOf(driver: string): DriverLoad {
    if (this.#loadOf(driver).queue.isEmpty) {
      this.#drivers.delete(driver);
    }
    return this.#loadOf(driver);
  }

  #loadOf(driver: string): DriverLoad {
    const load = this.#drivers.get(driver) ?? { queue: new Queue(this.#most) };
    this.#drivers.set(driver, load);
    return load;
  }
}

interface DriverLoad {
  readonly queue: Queue;
  refusingSinceMs?: number | undefined;
  reducedAtMs?: number | undefined;
}

class Queue {
  #limit: number;
  #taken = 0;
  /** Each in order of arrival. */
  readonly #urgent = new Set<() => void>();
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get isEmpty(): boolean {
    return this.#taken === 0 && this.#urgent.size + this.#waiting.size === 0;
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  async enter(urgent: boolean, signal: AbortSignal | undefined): Promise<Disposable> {
    signal?.throwIfAborted();
    if (this.#taken < this.#limit) {
      this.#taken += 1;
    } else {
      await waitForTurn(urgent ? this.#urgent : this.#waiting, signal);
    }
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) {
          held = false;
          this.#taken -= 1;
          this.#admit();
        }
      },
    };
  }

  // Whoever is admitted has the slot from now on, not from when it wakes: nobody can come between.
  #admit(): void {
    for (const waiting of [this.#urgent, this.#waiting]) {
      for (const next of waiting) {
        if (this.#taken >= this.#limit) {
          return;
        }
        this.#taken += 1;
        waiting.delete(next);
        next();
      }
    }
  }
}

async function waitForTurn(
  waiting: Set<() => void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const take = (): void => resolve();
  waiting.add(take);
  signal?.addEventListener('abort', take, { once: true });
  await promise;
  signal?.removeEventListener('abort', take);
  if (waiting.delete(take)) {
    signal?.throwIfAborted();
  }
}
