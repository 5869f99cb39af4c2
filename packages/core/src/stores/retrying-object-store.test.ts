import { describe, expect, it } from 'vitest';
import { ObjectStoreError } from '../errors.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { MemoryObjectStore } from './memory-object-store.ts';
import { type RetryOptions, retryingObjectStore } from './retrying-object-store.ts';

const text = Buffer.from('text');

function storeWith(options: RetryOptions = {}) {
  const inner = new FaultyObjectStore(new MemoryObjectStore());
  const pauses: number[] = [];
  const clock = {
    now: () => new Date(),
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      pauses.push(ms);
    },
  };
  const store = retryingObjectStore(inner, { clock, random: () => 1, ...options });
  return { inner, pauses, store };
}

function rateLimited(retryAfterMs: number): ObjectStoreError {
  const options = {
    code: 'RateLimited',
    operation: 'test',
    retryable: true,
    retryAfterMs,
  } as const;
  return new ObjectStoreError('slow down', options);
}

async function* stream(): AsyncGenerator<Uint8Array> {
  yield text;
}

it('tries again what may succeed later, after pauses that double up to a limit', async () => {
  const { inner, pauses, store } = storeWith({ attempts: 6, longestPauseMs: 1_000 });
  inner.inject({ operation: 'stat', error: 'Unavailable', times: 5 });
  expect(await store.stat('a')).toBeUndefined();
  expect(pauses).toEqual([200, 400, 800, 1_000, 1_000]);
});

it('spreads the pauses', async () => {
  const { inner, pauses, store } = storeWith({ random: () => 0.25 });
  inner.inject({ operation: 'delete', error: 'Unavailable', times: 2 });
  await store.delete('a');
  expect(pauses).toEqual([50, 100]);
});

it('waits as long as the server asks, if that is longer', async () => {
  const { inner, pauses, store } = storeWith();
  inner.inject({ operation: 'stat', error: rateLimited(30_000) });
  inner.inject({ operation: 'stat', error: rateLimited(1) });
  await store.stat('a');
  expect(pauses).toEqual([30_000, 400]);
});

it('gives up after the last attempt with the error of that', async () => {
  const { inner, pauses, store } = storeWith({ attempts: 3 });
  const fault = inner.inject({ operation: 'get', error: 'Unavailable', times: 10 });
  await expect(store.get('a')).rejects.toMatchObject({ code: 'Unavailable' });
  expect(fault.hits).toBe(3);
  expect(pauses).toHaveLength(2);
});

it.each(['NotFound', 'PermissionDenied', 'InvalidConfig', 'AlreadyExists'] as const)(
  'does not try again what is %s',
  async (error) => {
    const { inner, pauses, store } = storeWith();
    inner.inject({ operation: 'put', error });
    await expect(store.put('a', text)).rejects.toMatchObject({ code: error });
    expect(pauses).toEqual([]);
  },
);

it('does not try again what somebody else has thrown', async () => {
  const { inner, store } = storeWith();
  const failure = new Error('a bug');
  inner.inject({ operation: 'stat', error: failure });
  await expect(store.stat('a')).rejects.toBe(failure);
});

it('ends a pause with the abort of the call', async () => {
  const { inner, store } = storeWith();
  const controller = new AbortController();
  const reason = new Error('stop');
  inner.inject({ operation: 'stat', error: 'Unavailable', when: 'after' });
  const call = store.stat('a', { signal: controller.signal });
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
});

describe('a put', () => {
  it('of bytes is tried again', async () => {
    const { inner, store } = storeWith();
    inner.inject({ operation: 'put', error: 'Unavailable', times: 2 });
    await store.put('a', text);
    expect(await inner.stat('a')).toMatchObject({ sizeBytes: 4 });
  });

  it('of a stream is not, for it is read once', async () => {
    const { inner, store } = storeWith();
    const fault = inner.inject({ operation: 'put', error: 'Unavailable', times: 2 });
    await expect(store.put('a', stream())).rejects.toMatchObject({ code: 'Unavailable' });
    expect(fault.hits).toBe(1);
  });

  it('with ifAbsent whose answer was lost has won when its very bytes are there', async () => {
    const { inner, store } = storeWith();
    inner.inject({ operation: 'put', error: 'Unavailable', when: 'after' });
    await store.put('a', text, { ifAbsent: true });
    expect(await inner.stat('a')).toMatchObject({ sizeBytes: 4 });
  });

  it.each([['longer text'], ['test']])(
    'with ifAbsent whose answer was lost has lost when "%s" is there',
    async (other) => {
      const { inner, store } = storeWith();
      await inner.put('a', Buffer.from(other));
      inner.inject({ operation: 'put', error: 'Unavailable' });
      const put = store.put('a', text, { ifAbsent: true });
      await expect(put).rejects.toMatchObject({ code: 'AlreadyExists' });
    },
  );

  it('with ifAbsent that finds the same bytes at the first try has lost', async () => {
    const { inner, store } = storeWith();
    await inner.put('a', text);
    const put = store.put('a', text, { ifAbsent: true });
    await expect(put).rejects.toMatchObject({ code: 'AlreadyExists' });
  });
});

describe('a list', () => {
  it('is tried again until its first item', async () => {
    const { inner, store } = storeWith();
    await inner.put('x/a', text);
    inner.inject({ operation: 'list', error: 'Unavailable', times: 2 });
    inner.inject({ operation: 'listPrefixes', error: 'Unavailable', times: 2 });
    expect(await Array.fromAsync(store.list(''), ({ key }) => key)).toEqual(['x/a']);
    expect(await Array.fromAsync(store.listPrefixes(''))).toEqual(['x/']);
  });

  it('is not tried again after that: nothing is listed twice', async () => {
    const { inner, store } = storeWith();
    await inner.put('a', text);
    inner.inject({ operation: 'list', error: 'Unavailable', when: 'after' });
    const keys: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { key } of store.list('')) keys.push(key);
    };
    await expect(read()).rejects.toMatchObject({ code: 'Unavailable' });
    expect(keys).toEqual(['a']);
  });

  it('sends nothing before it is read', async () => {
    const { inner, store } = storeWith();
    const fault = inner.inject({ operation: 'list', error: 'Unavailable', times: 1 });
    store.list('');
    expect(fault.hits).toBe(0);
  });
});

it('has the methods that the store has, and no others', () => {
  expect(storeWith().store).not.toHaveProperty('signUrl');
  const signing = Object.assign(new MemoryObjectStore(), { signUrl: async () => 'url' });
  expect(retryingObjectStore(signing)).toHaveProperty('signUrl');
});

it('tries again to list and to remove uploads', async () => {
  const upload = { key: 'a', uploadId: 'u-1', startedAt: new Date(0) };
  let calls = 0;
  const failOddCalls = (): void => {
    calls += 1;
    if (calls % 2 === 1) {
      const operation = 'ObjectStore.listUploads';
      throw new ObjectStoreError('busy', { code: 'RateLimited', operation, retryable: true });
    }
  };
  const inner = Object.assign(new MemoryObjectStore(), {
    async *listUploads() {
      failOddCalls();
      yield upload;
    },
    removeUpload: async () => failOddCalls(),
  });
  const store = retryingObjectStore(inner, { firstPauseMs: 0, random: () => 0 });
  expect(await Array.fromAsync(store.listUploads?.('') ?? [])).toEqual([upload]);
  await store.removeUpload?.(upload);
  expect(calls).toBe(4);
});
