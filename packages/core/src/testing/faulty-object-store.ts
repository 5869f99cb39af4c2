import { type LifeboatErrorCode, ObjectStoreError } from '../errors.ts';
import type {
  CallOptions,
  GetOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
} from '../ports/object-store.ts';

/** The calls that a fault can be aimed at. */
export type ObjectStoreOperation = 'put' | 'get' | 'stat' | 'list' | 'listPrefixes' | 'delete';

/** What is to go wrong, and when. */
export interface ObjectStoreFault {
  readonly operation: ObjectStoreOperation;
  /** Only calls with this key or prefix, or with one that the pattern finds. @default every key */
  readonly key?: string | RegExp | undefined;
  /**
   * What the call rejects with: an error code, or anything to be thrown as it is. Without it the call goes on after
   * {@link ObjectStoreFault.hold}.
   */
  readonly error?: LifeboatErrorCode | Error | undefined;
  /** Holds the call up until the promise resolves, or its signal aborts. */
  readonly hold?: Promise<void> | undefined;
  /** How many matching calls go through first. @default 0 */
  readonly skip?: number | undefined;
  /** How many matching calls are hit; `Infinity` for all of them. @default 1 */
  readonly times?: number | undefined;
  /**
   * `before`: nothing is done. `after`: the call is carried out and then fails, as when an answer is lost. `during`: the body
   * of a `get` breaks after its first chunk. @default 'before'
   */
  readonly when?: 'before' | 'during' | 'after' | undefined;
}

/** A fault that was injected. */
export interface InjectedFault {
  /** How many calls it has hit. */
  readonly hits: number;
  /** Ends it. */
  remove(): void;
}

const retryableCodes: ReadonlySet<LifeboatErrorCode> = new Set(['Unavailable', 'RateLimited']);

/**
 * Puts faults into the calls to another store, for tests of what an application does when its store fails. Without a fault
 * it is that store.
 *
 * @example
 * ```ts
 * const store = new FaultyObjectStore(new MemoryObjectStore());
 * store.inject({ operation: 'put', key: /\.tar\.gz$/, error: 'Unavailable' });
 * ```
 */
export class FaultyObjectStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #faults = new Set<ActiveFault>();

  constructor(inner: ObjectStore) {
    this.#inner = inner;
  }

  get location(): string {
    return this.#inner.location;
  }

  get capabilities(): ObjectStoreCapabilities {
    return this.#inner.capabilities;
  }

  /** Lets coming calls fail or wait. Of several faults that fit a call the first injected one that is not used up counts. */
  inject(fault: ObjectStoreFault): InjectedFault {
    const active = new ActiveFault(fault);
    this.#faults.add(active);
    return {
      get hits(): number {
        return active.hits;
      },
      remove: () => {
        this.#faults.delete(active);
      },
    };
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    const fault = this.#faultFor('put', key);
    await fault?.strike('before', key, options.signal);
    await this.#inner.put(key, body, options);
    await fault?.strike('after', key, options.signal);
  }

  async get(key: string, options: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const fault = this.#faultFor('get', key);
    await fault?.strike('before', key, options.signal);
    const body = await this.#inner.get(key, options);
    await fault?.strike('after', key, options.signal);
    return fault === undefined ? body : brokenBody(body, key, fault, options.signal);
  }

  async stat(key: string, options: CallOptions = {}): Promise<ObjectStat | undefined> {
    const fault = this.#faultFor('stat', key);
    await fault?.strike('before', key, options.signal);
    const stat = await this.#inner.stat(key, options);
    await fault?.strike('after', key, options.signal);
    return stat;
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectStat> {
    const fault = this.#faultFor('list', prefix);
    await fault?.strike('before', prefix, options.signal);
    yield* this.#inner.list(prefix, options);
    await fault?.strike('after', prefix, options.signal);
  }

  async *listPrefixes(prefix: string, options: CallOptions = {}): AsyncGenerator<string> {
    const fault = this.#faultFor('listPrefixes', prefix);
    await fault?.strike('before', prefix, options.signal);
    yield* this.#inner.listPrefixes(prefix, options);
    await fault?.strike('after', prefix, options.signal);
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    const fault = this.#faultFor('delete', key);
    await fault?.strike('before', key, options.signal);
    await this.#inner.delete(key, options);
    await fault?.strike('after', key, options.signal);
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #faultFor(operation: ObjectStoreOperation, key: string): ActiveFault | undefined {
    return this.#faults.values().find((fault) => fault.hit(operation, key));
  }
}

class ActiveFault {
  readonly #fault: ObjectStoreFault;
  #matches = 0;
  hits = 0;

  constructor(fault: ObjectStoreFault) {
    this.#fault = fault;
  }

  /** Whether a call is hit; counts it. */
  hit(operation: ObjectStoreOperation, key: string): boolean {
    const { operation: wanted, key: pattern, skip = 0, times = 1 } = this.#fault;
    const fits =
      operation === wanted &&
      (pattern === undefined ||
        (typeof pattern === 'string' ? pattern === key : key.search(pattern) >= 0));
    if (!fits || this.hits >= times) {
      return false;
    }
    this.#matches += 1;
    if (this.#matches <= skip) {
      return false;
    }
    this.hits += 1;
    return true;
  }

  /** Waits and fails, if this is the moment that the fault is meant for. */
  async strike(
    moment: 'before' | 'during' | 'after',
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { operation, error, hold, when = 'before' } = this.#fault;
    if (moment !== when) {
      return;
    }
    signal?.throwIfAborted();
    if (hold !== undefined) {
      await untilAborted(hold, signal);
    }
    if (error !== undefined) {
      throw typeof error === 'string' ? injectedError(error, operation, key) : error;
    }
  }
}

async function* brokenBody(
  body: AsyncIterable<Uint8Array>,
  key: string,
  fault: ActiveFault,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk;
    await fault.strike('during', key, signal);
  }
}

async function untilAborted(hold: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const abort = (): void => {
    aborted.resolve();
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([hold, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  signal?.throwIfAborted();
}

function injectedError(
  code: LifeboatErrorCode,
  operation: ObjectStoreOperation,
  target: string,
): ObjectStoreError {
  return new ObjectStoreError(`ObjectStore.${operation}: ${target}: injected fault`, {
    code,
    operation: `ObjectStore.${operation}`,
    target,
    retryable: retryableCodes.has(code),
  });
}
