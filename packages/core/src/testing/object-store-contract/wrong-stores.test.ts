import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ObjectStoreError } from '../../errors.ts';
import type {
  CallOptions,
  GetOptions,
  ObjectBody,
  ObjectLock,
  ObjectStat,
  ObjectStore,
  PutOptions,
} from '../../ports/object-store.ts';
import { MemoryObjectStore } from '../../stores/memory-object-store.ts';
import { objectStoreContract } from './object-store-contract.ts';
import type { ObjectStoreContractContext } from './object-store-contract-context.ts';

/** Cuts what it stores to 64 KiB. */
class TruncatingStore extends MemoryObjectStore {
  override async put(key: string, body: ObjectBody, options?: PutOptions): Promise<void> {
    const bytes = body instanceof Uint8Array ? body : Buffer.concat(await Array.fromAsync(body));
    await super.put(key, bytes.subarray(0, 65_536), options);
  }
}

/** Takes a prefix for any beginning of a key. */
class SiblingListingStore extends MemoryObjectStore {
  override async *list(prefix: string, options?: CallOptions): AsyncGenerator<ObjectStat> {
    const beginning = prefix.slice(0, -1);
    const folder = beginning.slice(0, beginning.lastIndexOf('/') + 1);
    for await (const stat of super.list(folder, options)) {
      if (stat.key.startsWith(beginning)) {
        yield stat;
      }
    }
  }
}

/** Keeps what it has of a body that fails. */
class PartialObjectStore extends MemoryObjectStore {
  override async put(key: string, body: ObjectBody, options?: PutOptions): Promise<void> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of body instanceof Uint8Array ? [body] : body) {
        chunks.push(chunk);
      }
    } finally {
      await super.put(key, Buffer.concat(chunks), { ...options, signal: undefined });
    }
  }
}

/** Wraps the reason of an abort into an error of its own. */
class AbortWrappingStore extends MemoryObjectStore {
  override async put(key: string, body: ObjectBody, options?: PutOptions): Promise<void> {
    try {
      await super.put(key, body, options);
    } catch (cause) {
      throw options?.signal?.aborted
        ? new ObjectStoreError('aborted', { code: 'Unknown', operation: 'put', cause })
        : cause;
    }
  }
}

/** Goes on after an abort, and says that it has stopped. */
class UnstoppableStore extends MemoryObjectStore {
  override async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    await super.put(key, body, { ...options, signal: undefined });
    for (let turn = 0; turn < 1_000; turn += 1) await nextTurn();
    options.signal?.throwIfAborted();
  }
}

/** Looks whether the key is free, and writes later. */
class RacyStore extends MemoryObjectStore {
  override async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    if (options.ifAbsent && (await this.stat(key)) !== undefined) {
      throw new ObjectStoreError('exists', {
        code: 'AlreadyExists',
        operation: 'put',
        target: key,
      });
    }
    await nextTurn();
    await super.put(key, body, { ...options, ifAbsent: false });
  }
}

/** Thinks that deleting nothing is an error. */
class StrictDeleteStore extends MemoryObjectStore {
  override async delete(key: string, options?: CallOptions): Promise<void> {
    if ((await this.stat(key, options)) === undefined) {
      throw new ObjectStoreError('missing', { code: 'NotFound', operation: 'delete', target: key });
    }
    await super.delete(key, options);
  }
}

/** Finds out that an object is missing only when it is read. */
class LateNotFoundStore extends MemoryObjectStore {
  override async get(key: string, options?: GetOptions): Promise<AsyncIterable<Uint8Array>> {
    const open = (): Promise<AsyncIterable<Uint8Array>> => super.get(key, options);
    options?.signal?.throwIfAborted();
    return (async function* () {
      yield* await open();
    })();
  }
}

/** Gives one byte more than a range asks for. */
class HalfOpenRangeStore extends MemoryObjectStore {
  override async get(key: string, options: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const { range } = options;
    const end = range?.end === undefined ? undefined : range.end + 1;
    return super.get(key, range === undefined ? options : { ...options, range: { ...range, end } });
  }
}

/** Loses the first key of each page but the first. */
class PagingStore extends MemoryObjectStore {
  override async *list(prefix: string, options?: CallOptions): AsyncGenerator<ObjectStat> {
    let place = 0;
    for await (const stat of super.list(prefix, options)) {
      if (place === 0 || place % 1_000 !== 0) {
        yield stat;
      }
      place += 1;
    }
  }
}

/** Sorts by UTF-16 unit. */
class Utf16OrderStore extends MemoryObjectStore {
  override async *list(prefix: string, options?: CallOptions): AsyncGenerator<ObjectStat> {
    const stats = await Array.fromAsync(super.list(prefix, options));
    yield* stats.sort((left, right) => (left.key < right.key ? -1 : 1));
  }
}

/** Lists a prefix once for each object below it. */
class RepeatingPrefixStore extends MemoryObjectStore {
  override async *listPrefixes(prefix: string, options?: CallOptions): AsyncGenerator<string> {
    for await (const { key } of super.list(prefix, options)) {
      const end = key.indexOf('/', prefix.length);
      if (end >= 0) {
        yield key.slice(0, end + 1);
      }
    }
  }
}

/** Makes a key with a traversal into another key. */
class NormalisingStore extends MemoryObjectStore {
  override async put(key: string, body: ObjectBody, options?: PutOptions): Promise<void> {
    await super.put(new URL(key, 'file:///').pathname.slice(1) || 'root', body, options);
  }
}

/** Goes on after it was closed. */
class UnclosableStore extends MemoryObjectStore {
  override async close(): Promise<void> {
    // Nothing, that is what is wrong with it.
  }
}

/** Leaves the source of a failed put open. */
class SourceLeakingStore extends MemoryObjectStore {
  override async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    if (body instanceof Uint8Array) {
      await super.put(key, body, options);
      return;
    }
    const iterator = body[Symbol.asyncIterator]();
    const open = { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
    await super.put(key, open, options);
  }
}

/** Takes a body of any size, whatever was announced. */
class SizeIgnoringStore extends MemoryObjectStore {
  override async put(key: string, body: ObjectBody, options?: PutOptions): Promise<void> {
    await super.put(key, body, { ...options, sizeBytes: undefined });
  }
}

/** Counts its requests, and asks for all pages before it gives the first item. */
class EagerListStore extends MemoryObjectStore {
  requests = 0;

  override async *list(prefix: string, options?: CallOptions): AsyncGenerator<ObjectStat> {
    const stats = await Array.fromAsync(super.list(prefix, options));
    this.requests += Math.ceil(stats.length / 1_000);
    yield* stats;
  }
}

/** Locks what is missing, and forgets one part of a lock when the other is set. */
class ForgetfulLockStore extends MemoryObjectStore {
  protected readonly locks: Map<string, ObjectLock> = new Map();

  async getLock(key: string, options?: CallOptions): Promise<ObjectLock | undefined> {
    const exists = (await this.stat(key, options)) !== undefined;
    return exists ? (this.locks.get(key) ?? { legalHold: false }) : undefined;
  }

  async putLock(key: string, lock: ObjectLock): Promise<void> {
    this.locks.set(key, lock);
  }
}

/** Lets a retention be shortened. */
class LenientLockStore extends ForgetfulLockStore {
  override async putLock(key: string, lock: ObjectLock): Promise<void> {
    this.locks.set(key, { ...this.locks.get(key), ...lock });
  }
}

/** Signs URLs for any key, and they read something else. */
class MisdirectingStore extends MemoryObjectStore {
  async signUrl(): Promise<string> {
    return 'data:text/plain,something%20else';
  }
}

interface WrongStore {
  readonly store: ObjectStore;
  /** What the case needs beyond the store. */
  readonly host?: Partial<ObjectStoreContractContext>;
  /** The case meant for it. */
  readonly caughtBy: string;
  /** Part of what the case says. */
  readonly finding: string;
}

const eagerListStore = new EagerListStore();

const wrongStores: readonly WrongStore[] = [
  {
    store: new SizeIgnoringStore(),
    caughtBy: 'a body of another size than announced is not stored',
    finding: 'expected a rejection',
  },
  {
    store: eagerListStore,
    host: { requestCount: () => eagerListStore.requests },
    caughtBy: 'a list asks for a page when it is needed, and for none after the loop was left',
    finding: 'one item took more than one request',
  },
  {
    store: new ForgetfulLockStore(),
    host: { lockableStore: new ForgetfulLockStore() },
    caughtBy: 'an object is not locked unless it was',
    finding: 'expected a rejection',
  },
  {
    store: new ForgetfulLockStore(),
    host: { lockableStore: new ForgetfulLockStore() },
    caughtBy: 'a legal hold is set and lifted, and leaves a retention alone',
    finding: 'deep-equal',
  },
  {
    store: new LenientLockStore(),
    host: { lockableStore: new LenientLockStore() },
    caughtBy: 'a retention in force cannot be shortened',
    finding: 'expected a rejection',
  },
  {
    store: new MisdirectingStore(),
    caughtBy: 'a signed URL reads the object without credentials',
    finding: 'number of bytes differs',
  },
  {
    store: new MisdirectingStore(),
    caughtBy: 'a signed URL of a missing object can be made, and reads nothing',
    finding: '200 !== 404',
  },
  {
    store: new MisdirectingStore(),
    caughtBy: 'a key that could leave its prefix gets no URL',
    finding: 'expected a rejection',
  },
  {
    store: new TruncatingStore(),
    caughtBy: 'bytes of any size are read back the same',
    finding: 'number of bytes differs',
  },
  {
    store: new TruncatingStore(),
    caughtBy: 'a stream of any size is read back the same',
    finding: 'number of bytes differs',
  },
  {
    store: new SiblingListingStore(),
    caughtBy: 'a list leaves out sibling prefixes',
    finding: 'foo-3',
  },
  {
    store: new PartialObjectStore(),
    caughtBy: 'a failing source leaves no object',
    finding: 'an object has become visible',
  },
  {
    store: new AbortWrappingStore(),
    caughtBy: 'a put that is aborted leaves no object',
    finding: "expected the signal's reason itself",
  },
  {
    store: new UnstoppableStore(),
    caughtBy: 'a put that is aborted at any moment has stored all or nothing, and says which',
    finding: 'the number of bytes differs',
  },
  {
    store: new RacyStore(),
    caughtBy: 'of racing writers with ifAbsent exactly one wins',
    finding: '8 writers have won',
  },
  {
    store: new StrictDeleteStore(),
    caughtBy: 'deleting a missing object succeeds',
    finding: 'ObjectStoreError: missing',
  },
  {
    store: new LateNotFoundStore(),
    caughtBy: 'reading a missing object is NotFound',
    finding: 'expected a rejection',
  },
  {
    store: new HalfOpenRangeStore(),
    caughtBy: 'a range reads the bytes it names',
    finding: 'number of bytes differs',
  },
  {
    store: new PagingStore(),
    caughtBy: 'a list longer than a page has each key once',
    finding: '1004 !== 1005',
  },
  {
    store: new Utf16OrderStore(),
    caughtBy: 'a list is in key order, through all levels',
    finding: 'deep-equal',
  },
  {
    store: new RepeatingPrefixStore(),
    caughtBy: 'prefixes are the first level, each once',
    finding: 'deep-equal',
  },
  {
    store: new NormalisingStore(),
    caughtBy: 'a key that could leave its prefix is refused',
    finding: 'expected a rejection',
  },
  {
    store: new SourceLeakingStore(),
    caughtBy: 'a put that fails closes its source',
    finding: 'the source was left open',
  },
  {
    store: new UnclosableStore(),
    caughtBy: 'a closed store rejects every call with Closed',
    finding: 'expected a rejection',
  },
];

it.each(wrongStores)('$store.constructor.name is caught: $caughtBy', async (wrong) => {
  const contractCase = objectStoreContract.find(({ name }) => name === wrong.caughtBy);
  const outcome = contractCase?.run({
    store: wrong.store,
    open: () => wrong.store,
    prefix: 'contract/wrong/',
    signal: AbortSignal.timeout(10_000),
    ...wrong.host,
  });
  await expect(outcome?.catch(String)).resolves.toContain(wrong.finding);
});
