import { Readable } from 'node:stream';
import { isLifeboatError, ObjectStoreError } from '../errors.ts';
import type {
  CallOptions,
  GetOptions,
  ObjectBody,
  ObjectLock,
  ObjectStat,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
  SignUrlOptions,
  UnfinishedUpload,
} from '../ports/object-store.ts';
import { assertValidKey, assertValidPrefix, isValidKey } from './key-rules.ts';
import type { ListPage, ObjectStoreDriver, UploadPage } from './object-store-driver.ts';
import { readBody } from './read-body.ts';
import { resolveRange } from './resolve-range.ts';
import { sizedBody } from './sized-body.ts';
import { alreadyExistsError, closedError, undefinedWhenMissing } from './store-errors.ts';
import { WatchedSource } from './watched-source.ts';

/** Options of {@link DrivenObjectStore}. */
export interface DrivenObjectStoreOptions {
  /** How long a read waits for the next bytes before it rejects with Unavailable. @default 60_000 */
  readonly stalledAfterMs?: number | undefined;
}

const defaultExpiresInMs = 15 * 60_000;
const defaultStalledAfterMs = 60_000;
const longestKeyBytes = 1_024;
const retryableCodes: ReadonlySet<string> = new Set(['Unavailable', 'RateLimited', 'Timeout']);

/**
 * An object store on top of a driver: all rules of the port that are the same for every provider, so that an adapter has the
 * requests of its provider and a table of its errors, and nothing else.
 *
 * - Keys are checked, prefixed, and cut again; objects in the bucket whose names are no keys are not listed.
 * - The prefix counts towards the 1,024 bytes of a key.
 */
export class DrivenObjectStore implements ObjectStore {
  readonly location: string;
  readonly capabilities: ObjectStoreCapabilities;
  readonly #driver: ObjectStoreDriver;
  readonly #stalledAfterMs: number;
  #closing: Promise<void> | undefined;

  constructor(driver: ObjectStoreDriver, options: DrivenObjectStoreOptions = {}) {
    const { stalledAfterMs = defaultStalledAfterMs } = options;
    this.location = driver.location;
    this.capabilities = driver.capabilities;
    this.#driver = driver;
    this.#stalledAfterMs = stalledAfterMs;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    const operation = 'ObjectStore.put';
    const { contentType = 'application/octet-stream', ifAbsent = false, signal } = options;
    const path = this.#enter(operation, key, signal);
    const sized = sizedBody(body, options.sizeBytes, key);
    const driverOptions = { contentType, ifAbsent, signal };
    if (sized instanceof Uint8Array) {
      await this.#call(operation, key, signal, ifAbsent, () =>
        this.#driver.putBytes(path, sized, driverOptions),
      );
      return;
    }
    const source = new WatchedSource(sized, signal);
    try {
      await this.#call(operation, key, signal, ifAbsent, () =>
        this.#driver.putStream(path, source, driverOptions),
      );
    } catch (error) {
      throw source.failure === undefined ? error : source.failure.error;
    } finally {
      await source.close();
    }
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const operation = 'ObjectStore.get';
    const path = this.#enter(operation, key, signal);
    resolveRange(range, Number.MAX_SAFE_INTEGER, key);
    const body = await this.#call(operation, key, signal, false, () =>
      this.#driver.get(path, range, signal),
    );
    if (body === undefined) {
      return Readable.from([]);
    }
    const options = { key, signal, stalledAfterMs: this.#stalledAfterMs };
    return this.#read(readBody(body, options), key, signal);
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<ObjectStat | undefined> {
    const operation = 'ObjectStore.stat';
    const path = this.#enter(operation, key, signal);
    const stat = await undefinedWhenMissing(
      this.#call(operation, key, signal, false, () => this.#driver.stat(path, signal)),
    );
    return stat && { key, ...stat };
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<ObjectStat> {
    const operation = 'ObjectStore.list';
    for await (const { objects } of this.#listPages(operation, prefix, false, signal)) {
      for (const object of objects) {
        this.#assertUsable(operation, signal);
        const key = object.key.slice(this.#driver.prefix.length);
        if (isValidKey(key)) {
          yield { ...object, key };
        }
      }
    }
  }

  async *listPrefixes(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<string> {
    const operation = 'ObjectStore.listPrefixes';
    for await (const { prefixes } of this.#listPages(operation, prefix, true, signal)) {
      for (const path of prefixes) {
        this.#assertUsable(operation, signal);
        const found = path.slice(this.#driver.prefix.length);
        if (isValidKey(found.slice(0, -1))) {
          yield found;
        }
      }
    }
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    const operation = 'ObjectStore.delete';
    const path = this.#enter(operation, key, signal);
    await undefinedWhenMissing(
      this.#call(operation, key, signal, false, () => this.#driver.delete(path, signal)),
    );
  }

  async signUrl(key: string, options: SignUrlOptions = {}): Promise<string> {
    const operation = 'ObjectStore.signUrl';
    const { expiresInMs = defaultExpiresInMs, signal } = options;
    const path = this.#enter(operation, key, signal);
    return this.#call(operation, key, signal, false, () =>
      this.#driver.signUrl(path, expiresInMs, signal),
    );
  }

  async getLock(key: string, { signal }: CallOptions = {}): Promise<ObjectLock | undefined> {
    const operation = 'ObjectStore.getLock';
    const path = this.#enter(operation, key, signal);
    return undefinedWhenMissing(
      this.#call(operation, key, signal, false, () => this.#driver.getLock(path, signal)),
    );
  }

  async putLock(key: string, lock: ObjectLock, { signal }: CallOptions = {}): Promise<void> {
    const operation = 'ObjectStore.putLock';
    const path = this.#enter(operation, key, signal);
    await this.#call(operation, key, signal, false, () => this.#driver.putLock(path, lock, signal));
  }

  async *listUploads(
    prefix: string,
    { signal }: CallOptions = {},
  ): AsyncGenerator<UnfinishedUpload> {
    const operation = 'ObjectStore.listUploads';
    const read = async (path: string, continuation: string | undefined): Promise<UploadPage> =>
      (await this.#driver.uploads?.listPage(path, { continuation, signal })) ?? { uploads: [] };
    for await (const { uploads } of this.#pages(operation, prefix, signal, read)) {
      for (const upload of uploads) {
        this.#assertUsable(operation, signal);
        const key = upload.key.slice(this.#driver.prefix.length);
        if (isValidKey(key)) {
          yield { ...upload, key };
        }
      }
    }
  }

  async removeUpload(upload: UnfinishedUpload, { signal }: CallOptions = {}): Promise<void> {
    const operation = 'ObjectStore.removeUpload';
    const key = this.#enter(operation, upload.key, signal);
    await undefinedWhenMissing(
      this.#call(operation, upload.key, signal, false, async () =>
        this.#driver.uploads?.remove({ ...upload, key }, signal),
      ),
    );
  }

  async close(): Promise<void> {
    this.#closing ??= this.#driver.close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #listPages(
    operation: string,
    prefix: string,
    firstLevel: boolean,
    signal: AbortSignal | undefined,
  ): AsyncIterable<ListPage> {
    return this.#pages(operation, prefix, signal, (path, continuation) =>
      this.#driver.listPage(path, { firstLevel, continuation, signal }),
    );
  }

  async *#pages<P extends Pick<ListPage, 'continuation'>>(
    operation: string,
    prefix: string,
    signal: AbortSignal | undefined,
    read: (path: string, continuation: string | undefined) => Promise<P>,
  ): AsyncGenerator<P> {
    this.#assertUsable(operation, signal);
    assertValidPrefix(prefix, operation);
    let continuation: string | undefined;
    do {
      this.#assertUsable(operation, signal);
      const page = await this.#call(operation, prefix, signal, false, () =>
        read(this.#driver.prefix + prefix, continuation),
      );
      yield page;
      ({ continuation } = page);
    } while (continuation !== undefined);
  }

  async *#read(
    body: AsyncIterable<Uint8Array>,
    key: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw signal?.aborted ? error : this.#asStoreError('ObjectStore.get', key, error);
    }
  }

  /** Checks what every call checks first, and returns the key as the provider sees it. */
  #enter(operation: string, key: string, signal: AbortSignal | undefined): string {
    this.#assertUsable(operation, signal);
    assertValidKey(key, operation);
    const path = this.#driver.prefix + key;
    if (Buffer.byteLength(path) > longestKeyBytes) {
      throw new ObjectStoreError(
        `${operation}: the key ${JSON.stringify(key)} is longer than ${longestKeyBytes} bytes together with the prefix of ${this.location}`,
        { code: 'InvalidConfig', operation, target: key },
      );
    }
    return path;
  }

  #assertUsable(operation: string, signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closing !== undefined) {
      throw closedError(operation, this.location);
    }
  }

  async #call<T>(
    operation: string,
    key: string,
    signal: AbortSignal | undefined,
    ifAbsent: boolean,
    request: () => Promise<T>,
  ): Promise<T> {
    try {
      return await request();
    } catch (error) {
      signal?.throwIfAborted();
      const storeError = this.#asStoreError(operation, key, error);
      throw ifAbsent && isLifeboatError(storeError, 'PreconditionFailed')
        ? alreadyExistsError(this.location, key)
        : storeError;
    }
  }

  #asStoreError(operation: string, target: string, error: unknown): unknown {
    if (isLifeboatError(error)) {
      return error;
    }
    const { code, reason, retryAfterMs } = this.#driver.failureOf(error);
    const subject = target === '' ? this.location : `${target} in ${this.location}`;
    return new ObjectStoreError(`${operation}: ${subject}: ${reason}`, {
      code,
      operation,
      target,
      retryable: retryableCodes.has(code),
      retryAfterMs,
      cause: error,
    });
  }
}
