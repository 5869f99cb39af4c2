import { isLifeboatError } from '../errors.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  CallOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  PutOptions,
  UnfinishedUpload,
} from '../ports/object-store.ts';
import { holdsBytes, type ReadableObject } from './holds-bytes.ts';

/** Options of {@link retryingObjectStore}. */
export interface RetryOptions {
  /** How often a call is tried, the first time included. @default 5 */
  readonly attempts?: number | undefined;
  /** The longest pause before the second try; it doubles with each further one. @default 200 */
  readonly firstPauseMs?: number | undefined;
  /** The longest pause of all, unless the server asks for a longer one. @default 10_000 */
  readonly longestPauseMs?: number | undefined;
  /** @default the clock of the machine */
  readonly clock?: Clock | undefined;
  /** A number from 0 to below 1, by which pauses are spread. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/**
 * A store that tries calls again which failed and may succeed: those whose error is `retryable`, after a pause of random length
 * up to a limit that doubles, or as long as the server asked for if that is longer.
 *
 * - A `put` of bytes is tried again; one of a stream is not, because a stream is read once.
 * - A `put` with `ifAbsent` whose answer was lost and that then finds the very bytes it has sent has succeeded.
 * - Opening a `get` is tried again, reading its body is not. A list is tried again until its first item.
 * - Aborted: the pause ends at once.
 */
export function retryingObjectStore(store: ObjectStore, options: RetryOptions = {}): ObjectStore {
  const again = retrier(options);
  const signUrl = store.signUrl?.bind(store);
  const getLock = store.getLock?.bind(store);
  const putLock = store.putLock?.bind(store);
  const listUploads = store.listUploads?.bind(store);
  const removeUpload = store.removeUpload?.bind(store);
  return {
    location: store.location,
    capabilities: store.capabilities,
    put: (key, body, putOptions) => put(store, again, key, body, putOptions),
    get: (key, callOptions) => again(() => store.get(key, callOptions), callOptions),
    stat: (key, callOptions) => again(() => store.stat(key, callOptions), callOptions),
    list: (prefix, callOptions): AsyncIterable<ObjectStat> =>
      listAgain(() => store.list(prefix, callOptions), again, callOptions),
    listPrefixes: (prefix, callOptions): AsyncIterable<string> =>
      listAgain(() => store.listPrefixes(prefix, callOptions), again, callOptions),
    delete: (key, callOptions) => again(() => store.delete(key, callOptions), callOptions),
    ...(signUrl && {
      signUrl: (key, callOptions) => again(() => signUrl(key, callOptions), callOptions),
    }),
    ...(getLock && {
      getLock: (key, callOptions) => again(() => getLock(key, callOptions), callOptions),
    }),
    ...(putLock && {
      putLock: (key, lock, callOptions) =>
        again(() => putLock(key, lock, callOptions), callOptions),
    }),
    ...(listUploads && {
      listUploads: (prefix, callOptions): AsyncIterable<UnfinishedUpload> =>
        listAgain(() => listUploads(prefix, callOptions), again, callOptions),
    }),
    ...(removeUpload && {
      removeUpload: (upload, callOptions) =>
        again(() => removeUpload(upload, callOptions), callOptions),
    }),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

type Again = <T>(
  call: (attempt: number) => Promise<T>,
  options: CallOptions | undefined,
) => Promise<T>;

function retrier({
  attempts = 5,
  firstPauseMs = 200,
  longestPauseMs = 10_000,
  clock = systemClock,
  random = Math.random,
}: RetryOptions): Again {
  return async (call, options) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call(attempt);
      } catch (error) {
        if (options?.signal?.aborted || attempt >= attempts || !isRetryable(error)) {
          throw error;
        }
        const limitMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
        const pauseMs = Math.max(random() * limitMs, error.retryAfterMs ?? 0);
        await clock.sleep(pauseMs, options?.signal);
      }
    }
  };
}

function isRetryable(error: unknown): error is { readonly retryAfterMs: number | undefined } {
  return isLifeboatError(error) && error.retryable;
}

async function put(
  store: ObjectStore,
  again: Again,
  key: string,
  body: ObjectBody,
  options: PutOptions | undefined,
): Promise<void> {
  if (!(body instanceof Uint8Array)) {
    await store.put(key, body, options);
    return;
  }
  await again(async (attempt) => {
    try {
      await store.put(key, body, options);
    } catch (error) {
      const mayBeOurs = attempt > 1 && isLifeboatError(error, 'AlreadyExists');
      if (!mayBeOurs || !(await holdsBytes(objectOf(store, key, options), body))) {
        throw error;
      }
    }
  }, options);
}

function objectOf(store: ObjectStore, key: string, { signal }: PutOptions = {}): ReadableObject {
  return { stat: () => store.stat(key, { signal }), get: () => store.get(key, { signal }) };
}

/** Starts a list again that fails before its first item; what comes later cannot be told from what was yielded already. */
async function* listAgain<T>(
  start: () => AsyncIterable<T>,
  again: Again,
  options: CallOptions | undefined,
): AsyncGenerator<T> {
  const { iterator, first } = await again(async () => {
    const started = start()[Symbol.asyncIterator]();
    return { iterator: started, first: await started.next() };
  }, options);
  try {
    for (let result = first; result.done !== true; result = await iterator.next()) {
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}
