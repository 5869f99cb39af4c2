import { describe, expect, it } from 'vitest';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FaultyObjectStore } from './faulty-object-store.ts';

const text = Buffer.from('text');

async function storeWith(...keys: readonly string[]): Promise<FaultyObjectStore> {
  const inner = new MemoryObjectStore();
  for (const key of keys) {
    await inner.put(key, text);
  }
  return new FaultyObjectStore(inner);
}

describe('a fault', () => {
  it('hits one call of its operation and key, and no other', async () => {
    const store = await storeWith('a', 'b');
    const fault = store.inject({ operation: 'stat', key: 'a', error: 'Unavailable' });
    await store.get('a');
    await store.stat('b');
    await expect(store.stat('a')).rejects.toMatchObject({
      name: 'ObjectStoreError',
      code: 'Unavailable',
      operation: 'ObjectStore.stat',
      target: 'a',
      retryable: true,
    });
    expect(await store.stat('a')).toBeDefined();
    expect(fault.hits).toBe(1);
  });

  it('may be aimed at the nth call', async () => {
    const store = await storeWith('a');
    store.inject({ operation: 'stat', error: 'PermissionDenied', skip: 2, times: 2 });
    const outcomes = [];
    for (let call = 0; call < 6; call += 1) {
      outcomes.push(
        await store.stat('a').then(
          () => 'ok',
          () => 'failed',
        ),
      );
    }
    expect(outcomes).toEqual(['ok', 'ok', 'failed', 'failed', 'ok', 'ok']);
  });

  it('may be aimed by a pattern, and be taken back', async () => {
    const store = await storeWith('x/a.json', 'x/b.gz');
    const fault = store.inject({
      operation: 'get',
      key: /\.gz$/g,
      error: 'NotFound',
      times: Number.POSITIVE_INFINITY,
    });
    await store.get('x/a.json');
    await expect(store.get('x/b.gz')).rejects.toMatchObject({ code: 'NotFound', retryable: false });
    await expect(store.get('x/b.gz')).rejects.toMatchObject({ code: 'NotFound' });
    fault.remove();
    await store.get('x/b.gz');
    expect(fault.hits).toBe(2);
  });

  it('throws an error that it was given as it is', async () => {
    const store = await storeWith();
    const failure = new Error('socket hang up');
    store.inject({ operation: 'delete', error: failure });
    await expect(store.delete('a')).rejects.toBe(failure);
  });

  it('before a put leaves nothing, after a put leaves the object', async () => {
    const store = await storeWith();
    store.inject({ operation: 'put', key: 'before', error: 'Unavailable' });
    store.inject({ operation: 'put', key: 'after', error: 'Unavailable', when: 'after' });
    await expect(store.put('before', text)).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(store.put('after', text)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await store.stat('before')).toBeUndefined();
    expect(await store.stat('after')).toBeDefined();
  });

  it('during a get breaks the body after its first chunk', async () => {
    const store = await storeWith('a');
    store.inject({ operation: 'get', error: 'Unavailable', when: 'during' });
    const body = await store.get('a');
    const chunks: Uint8Array[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of body) {
        chunks.push(chunk);
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'Unavailable' });
    expect(chunks).toHaveLength(1);
  });

  it('hits lists as well', async () => {
    const store = await storeWith('x/a');
    store.inject({ operation: 'list', error: 'RateLimited' });
    store.inject({ operation: 'listPrefixes', error: 'RateLimited' });
    const limited = { code: 'RateLimited', retryable: true };
    await expect(Array.fromAsync(store.list(''))).rejects.toMatchObject(limited);
    await expect(Array.fromAsync(store.listPrefixes(''))).rejects.toMatchObject(limited);
  });

  it('holds a call up until it is let go', async () => {
    const store = await storeWith('a');
    const gate = Promise.withResolvers<void>();
    store.inject({ operation: 'stat', hold: gate.promise });
    let done = false;
    const call = store.stat('a').then((stat) => {
      done = true;
      return stat;
    });
    await store.stat('a');
    expect(done).toBe(false);
    gate.resolve();
    expect(await call).toBeDefined();
  });

  it('that holds a call up ends with the abort of the call', async () => {
    const store = await storeWith('a');
    const controller = new AbortController();
    store.inject({ operation: 'stat', hold: Promise.withResolvers<void>().promise });
    const call = store.stat('a', { signal: controller.signal });
    const reason = new Error('stop');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });
});
