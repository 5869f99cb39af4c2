import { abortable } from '../internal/abortable.ts';
import { systemClock } from '../internal/system-clock.ts';
import { compareCodePoints } from '../model/json.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  CallOptions,
  GetOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
} from '../ports/object-store.ts';
import { assertValidKey, assertValidPrefix } from './key-rules.ts';
import { resolveRange } from './resolve-range.ts';
import { sizedBody } from './sized-body.ts';
import { alreadyExistsError, closedError, notFoundError } from './store-errors.ts';

/** Options of {@link MemoryObjectStore}. */
export interface MemoryObjectStoreOptions {
  /** Dates the objects. @default the clock of the machine */
  readonly clock?: Clock | undefined;
}

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly lastModified: Date;
}

/**
 * An object store in the memory of the process, for tests and examples. Objects live as long as the instance does, and it
 * holds each of them whole.
 */
export class MemoryObjectStore implements ObjectStore {
  readonly location: string = 'memory:';
  readonly capabilities: ObjectStoreCapabilities = { ifAbsent: true };
  readonly #objects = new Map<string, StoredObject>();
  readonly #clock: Clock;
  #closed = false;

  constructor({ clock = systemClock }: MemoryObjectStoreOptions = {}) {
    this.#clock = clock;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    const { contentType = 'application/octet-stream', ifAbsent = false, signal } = options;
    this.#enter('ObjectStore.put', signal);
    assertValidKey(key, 'ObjectStore.put');
    this.#assertFree(key, ifAbsent);
    const sized = sizedBody(body, options.sizeBytes, key);
    const chunks =
      sized instanceof Uint8Array ? [sized] : await Array.fromAsync(abortable(sized, signal));
    this.#enter('ObjectStore.put', signal);
    // Again, because another writer may have come first while the body was read.
    this.#assertFree(key, ifAbsent);
    this.#objects.set(key, {
      bytes: Buffer.concat(chunks),
      contentType,
      lastModified: this.#clock.now(),
    });
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    this.#enter('ObjectStore.get', signal);
    assertValidKey(key, 'ObjectStore.get');
    const object = this.#objects.get(key);
    if (object === undefined) {
      throw notFoundError('ObjectStore.get', this.location, key);
    }
    const { start, end } = resolveRange(range, object.bytes.byteLength, key);
    return chunksOf(object.bytes.subarray(start, end), signal);
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<ObjectStat | undefined> {
    this.#enter('ObjectStore.stat', signal);
    assertValidKey(key, 'ObjectStore.stat');
    const object = this.#objects.get(key);
    return object === undefined
      ? undefined
      : { ...statOf(key, object), contentType: object.contentType };
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<ObjectStat> {
    this.#enter('ObjectStore.list', signal);
    assertValidPrefix(prefix, 'ObjectStore.list');
    for (const key of this.#keysBelow(prefix)) {
      this.#enter('ObjectStore.list', signal);
      const object = this.#objects.get(key);
      if (object !== undefined) {
        yield statOf(key, object);
      }
    }
  }

  async *listPrefixes(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<string> {
    this.#enter('ObjectStore.listPrefixes', signal);
    assertValidPrefix(prefix, 'ObjectStore.listPrefixes');
    const prefixes = this.#keysBelow(prefix)
      .map((key) => key.slice(0, key.indexOf('/', prefix.length) + 1))
      .filter((found) => found !== '');
    for (const found of new Set(prefixes)) {
      this.#enter('ObjectStore.listPrefixes', signal);
      yield found;
    }
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    this.#enter('ObjectStore.delete', signal);
    assertValidKey(key, 'ObjectStore.delete');
    this.#objects.delete(key);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#objects.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #enter(operation: string, signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) {
      throw closedError(operation, this.location);
    }
  }

  #assertFree(key: string, ifAbsent: boolean): void {
    if (ifAbsent && this.#objects.has(key)) {
      throw alreadyExistsError(this.location, key);
    }
  }

  #keysBelow(prefix: string): readonly string[] {
    return [...this.#objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort(compareCodePoints);
  }
}

const chunkBytes = 64 * 1024;

async function* chunksOf(
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += chunkBytes) {
    signal?.throwIfAborted();
    // A copy: what a reader does to its bytes must not change the object.
    yield Buffer.from(bytes.subarray(offset, offset + chunkBytes));
  }
}

function statOf(key: string, { bytes, lastModified }: StoredObject): ObjectStat {
  return { key, sizeBytes: bytes.byteLength, lastModified };
}
