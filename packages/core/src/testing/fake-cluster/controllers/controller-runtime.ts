import { isLifeboatError } from '../../../errors.ts';
import type { FakeApiServer } from '../fake-api-server.ts';
import type { TableChange } from '../object-table.ts';
import type { Controller } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import type { ControllerClock } from './controller-clock.ts';
import { RetryPause } from './retry-pause.ts';

interface RequeuedWork {
  readonly dueMs: number;
  readonly ended: Promise<void>;
}

interface Work {
  readonly controller: Controller;
  readonly client: ControllerClient;
  readonly key: string;
}

/** Runs controllers over a fake API server: never within the call that made a change, one look at a time per object. */
export class ControllerRuntime {
  readonly #controllers: readonly Omit<Work, 'key'>[];
  readonly #clock: ControllerClock;
  readonly #stop = new AbortController();
  readonly #queue: Map<string, Work> = new Map();
  readonly #running: Map<string, Promise<void>> = new Map();
  readonly #requeued: Map<string, RequeuedWork> = new Map();
  readonly #pause: RetryPause;
  #idle: PromiseWithResolvers<void> | undefined;
  #scheduled = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(server: FakeApiServer, clock: ControllerClock, controllers: readonly Controller[]) {
    this.#clock = clock;
    this.#pause = new RetryPause(clock);
    clock.onSleep(() => {
      this.#announceIdle();
    });
    this.#controllers = controllers.map((controller) => ({
      controller,
      client: new ControllerClient(server, controller.name, this.#stop.signal),
    }));
    server.table.onChange((change) => {
      this.#notice(change);
    });
  }

  /** Resolves once no controller has anything to do but wait for its clock. Rejects if one of them broke. */
  async settle(): Promise<void> {
    while (!this.#isIdle()) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    this.#throwFailure();
  }

  /** Stops every controller and waits for what is under way. Rejects if one of them broke. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#queue.clear();
    await Promise.all(this.#running.values());
    await Promise.all(this.#requeued.values().map(({ ended }) => ended));
    this.#throwFailure();
  }

  #notice(change: TableChange): void {
    if (this.#stop.signal.aborted) {
      return;
    }
    for (const { controller, client } of this.#controllers) {
      for (const trigger of controller.triggers) {
        if (trigger.table === '*' || trigger.table === change.table) {
          for (const key of trigger.keys(change, client)) {
            this.#enqueue({ controller, client, key });
          }
        }
      }
    }
  }

  #enqueue(work: Work): void {
    if (this.#stop.signal.aborted) {
      return;
    }
    this.#queue.set(idOf(work), work);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#drain();
      });
    }
  }

  #drain(): void {
    for (const [id, work] of this.#queue) {
      if (!this.#running.has(id)) {
        this.#queue.delete(id);
        this.#running.set(
          id,
          this.#work(work).finally(() => {
            this.#finish(id);
          }),
        );
      }
    }
    // Work that went to sleep at once did so before it was counted.
    this.#announceIdle();
  }

  async #work(work: Work): Promise<void> {
    try {
      const requeue = await work.controller.reconcile(work.key, work.client);
      this.#pause.reset(idOf(work));
      if (requeue !== undefined) {
        this.#requeue(work, requeue.afterMs);
      }
    } catch (error) {
      if (this.#stop.signal.aborted) {
        return;
      }
      if (isLifeboatError(error)) {
        this.#requeue(work, this.#pause.next(idOf(work)).afterMs);
      } else {
        this.#failure ??= { error };
      }
    }
  }

  /** Looks again later; once is enough for all that ask for the same work meanwhile. */
  #requeue(work: Work, afterMs: number): void {
    const id = idOf(work);
    const dueMs = this.#clock.now().getTime() + afterMs;
    const known = this.#requeued.get(id);
    if (known !== undefined && known.dueMs <= dueMs) {
      return;
    }
    const ended = this.#enqueueAfter(work, afterMs).finally(() => {
      if (this.#requeued.get(id) === requeued) {
        this.#requeued.delete(id);
      }
    });
    const requeued: RequeuedWork = { dueMs, ended };
    this.#requeued.set(id, requeued);
  }

  async #enqueueAfter(work: Work, ms: number): Promise<void> {
    try {
      await this.#clock.rest(ms, this.#stop.signal);
    } catch (error) {
      if (this.#stop.signal.aborted) {
        return;
      }
      throw error;
    }
    this.#enqueue(work);
  }

  #finish(id: string): void {
    this.#running.delete(id);
    const again = this.#queue.get(id);
    if (again !== undefined) {
      this.#enqueue(again);
    }
    this.#announceIdle();
  }

  /** Work that sleeps is not counted, nor is what waits for it to end. */
  #isIdle(): boolean {
    return (
      this.#running.size === this.#clock.sleepers &&
      this.#queue.keys().every((id) => this.#running.has(id))
    );
  }

  #announceIdle(): void {
    if (this.#isIdle()) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }
}

function idOf({ controller, key }: Work): string {
  return `${controller.name} ${key}`;
}
