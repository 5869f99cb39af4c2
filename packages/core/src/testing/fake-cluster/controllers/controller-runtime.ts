import { isLifeboatError } from '../../../errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { FakeApiServer } from '../fake-api-server.ts';
import type { TableChange } from '../object-table.ts';
import type { Controller } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { RetryPause } from './retry-pause.ts';

interface Work {
  readonly controller: Controller;
  readonly client: ControllerClient;
  readonly key: string;
}

/** Runs controllers over a fake API server: never within the call that made a change, one look at a time per object. */
export class ControllerRuntime {
  readonly #controllers: readonly Omit<Work, 'key'>[];
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #queue: Map<string, Work> = new Map();
  readonly #running: Map<string, Promise<void>> = new Map();
  readonly #sleeping: Set<Promise<void>> = new Set();
  readonly #pause = new RetryPause();
  #idle: PromiseWithResolvers<void> | undefined;
  #scheduled = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(server: FakeApiServer, clock: Clock, controllers: readonly Controller[]) {
    this.#clock = clock;
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
    while (this.#queue.size > 0 || this.#running.size > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    this.#throwFailure();
  }

  /** Stops every controller and waits for what is under way. Rejects if one of them broke. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#queue.clear();
    await Promise.all([...this.#running.values(), ...this.#sleeping]);
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
  }

  async #work(work: Work): Promise<void> {
    try {
      const requeue = await work.controller.reconcile(work.key, work.client);
      this.#pause.reset(idOf(work));
      if (requeue !== undefined) {
        this.#sleep(work, requeue.afterMs);
      }
    } catch (error) {
      if (this.#stop.signal.aborted) {
        return;
      }
      if (isLifeboatError(error)) {
        this.#sleep(work, this.#pause.next(idOf(work)).afterMs);
      } else {
        this.#failure ??= { error };
      }
    }
  }

  #sleep(work: Work, ms: number): void {
    const sleep = this.#clock
      .sleep(ms, this.#stop.signal)
      .then(
        () => {
          this.#enqueue(work);
        },
        () => undefined,
      )
      .finally(() => {
        this.#sleeping.delete(sleep);
      });
    this.#sleeping.add(sleep);
  }

  #finish(id: string): void {
    this.#running.delete(id);
    const again = this.#queue.get(id);
    if (again !== undefined) {
      this.#enqueue(again);
    }
    if (this.#queue.size === 0 && this.#running.size === 0) {
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
