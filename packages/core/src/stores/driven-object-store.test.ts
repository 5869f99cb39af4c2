import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ObjectStat } from '../ports/object-store.ts';
import { DrivenObjectStore } from './driven-object-store.ts';
import { ClientError, driverWith, missing, text } from './driver-fixture.ts';
import type { ListPage, ObjectStoreDriver, StoreFailure } from './object-store-driver.ts';

function failing(failure: StoreFailure): DrivenObjectStore {
  const fail = async (): Promise<never> => {
    throw new ClientError(failure);
  };
  return new DrivenObjectStore(
    driverWith({
      putBytes: fail,
      putStream: fail,
      get: fail,
      stat: fail,
      listPage: fail,
      delete: fail,
      getLock: fail,
      putLock: fail,
    }),
  );
}

describe('keys', () => {
  it('are prefixed on the way in and cut on the way out', async () => {
    const seen: string[] = [];
    const object: ObjectStat = { key: 'prod/a/b', sizeBytes: 1 };
    const store = new DrivenObjectStore(
      driverWith({
        putBytes: async (key) => {
          seen.push(key);
        },
        listPage: async (prefix) => {
          seen.push(prefix);
          return { objects: [object], prefixes: ['prod/a/'] };
        },
      }),
    );
    await store.put('a/b', text);
    expect(await Array.fromAsync(store.list('a/'))).toEqual([{ key: 'a/b', sizeBytes: 1 }]);
    expect(await Array.fromAsync(store.listPrefixes(''))).toEqual(['a/']);
    expect(await store.stat('a/b')).toEqual({ key: 'a/b', sizeBytes: 4 });
    expect(await store.signUrl('a')).toBe('https://example.com/prod/a');
    expect(seen).toEqual(['prod/a/b', 'prod/a/', 'prod/']);
  });

  it('that are none, as other programs make them, are not listed', async () => {
    const names = ['prod/', 'prod/folder/', 'prod//twice', 'prod/a/../b', 'prod/good'];
    const listPage = async (): Promise<ListPage> => ({
      objects: names.map((key) => ({ key, sizeBytes: 0 })),
      prefixes: ['prod//', 'prod/./', 'prod/fine/'],
    });
    const store = new DrivenObjectStore(driverWith({ listPage }));
    expect(await Array.fromAsync(store.list(''), ({ key }) => key)).toEqual(['good']);
    expect(await Array.fromAsync(store.listPrefixes(''))).toEqual(['fine/']);
  });

  it('have at most 1,024 bytes, the prefix included', async () => {
    const store = new DrivenObjectStore(driverWith());
    await store.put('k'.repeat(1_019), text);
    await expect(store.put('k'.repeat(1_020), text)).rejects.toMatchObject({
      code: 'InvalidConfig',
    });
  });
});

it('lists page by page, until one names no next', async () => {
  const asked: (string | undefined)[] = [];
  const listPage: ObjectStoreDriver['listPage'] = async (_prefix, { continuation }) => {
    asked.push(continuation);
    const number = asked.length;
    return {
      objects: number === 2 ? [] : [{ key: `prod/${number}`, sizeBytes: 1 }],
      prefixes: [],
      continuation: number < 3 ? `after ${number}` : undefined,
    };
  };
  const store = new DrivenObjectStore(driverWith({ listPage }));
  expect(await Array.fromAsync(store.list(''), ({ key }) => key)).toEqual(['1', '3']);
  expect(asked).toEqual([undefined, 'after 1', 'after 2']);
});

describe('a failure', () => {
  it('is told with what was done, on what, where and why', async () => {
    const store = failing({ code: 'RateLimited', reason: 'too fast', retryAfterMs: 5 });
    await expect(store.stat('a')).rejects.toMatchObject({
      name: 'ObjectStoreError',
      message: 'ObjectStore.stat: a in test://bucket/prod/: too fast',
      operation: 'ObjectStore.stat',
      target: 'a',
      code: 'RateLimited',
      retryable: true,
      retryAfterMs: 5,
      cause: expect.any(ClientError) as ClientError,
    });
    await expect(Array.fromAsync(store.list(''))).rejects.toThrow(
      'ObjectStore.list: test://bucket/prod/: too fast',
    );
  });

  it('that means NotFound is none where a missing object is fine', async () => {
    const store = failing(missing.failure);
    expect(await store.stat('a')).toBeUndefined();
    expect(await store.getLock('a')).toBeUndefined();
    await store.delete('a');
    await expect(store.get('a')).rejects.toMatchObject({ code: 'NotFound' });
    await expect(store.putLock('a', {})).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('of a condition means AlreadyExists only where one was set', async () => {
    const store = failing({ code: 'PreconditionFailed', reason: 'another write came first' });
    const taken = { code: 'AlreadyExists', target: 'a' };
    await expect(store.put('a', text, { ifAbsent: true })).rejects.toMatchObject(taken);
    await expect(store.put('a', text)).rejects.toMatchObject({ code: 'PreconditionFailed' });
  });

  it('gives way to the reason of an abort', async () => {
    const controller = new AbortController();
    const reason = new Error('stop');
    const stat = async (): Promise<never> => {
      controller.abort(reason);
      throw missing;
    };
    const store = new DrivenObjectStore(driverWith({ stat }));
    await expect(store.stat('a', { signal: controller.signal })).rejects.toBe(reason);
  });

  it('in the middle of a body is told like any other', async () => {
    const body = new Readable({ read: () => undefined });
    body.push(text);
    const store = new DrivenObjectStore(driverWith({ get: async () => body }));
    const chunks = (await store.get('a'))[Symbol.asyncIterator]();
    await chunks.next();
    body.destroy(new ClientError({ code: 'Unavailable', reason: 'the connection broke' }));
    await expect(chunks.next()).rejects.toMatchObject({
      code: 'Unavailable',
      operation: 'ObjectStore.get',
    });
  });
});

describe('a stream that is put', () => {
  it('is closed by a driver that fails before it reads', async () => {
    let closed = false;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => expect.unreachable('the stream was read'),
        return: async () => {
          closed = true;
          return { done: true, value: undefined } as const;
        },
      }),
    };
    const store = failing({ code: 'PermissionDenied', reason: 'no' });
    await expect(store.put('a', source)).rejects.toMatchObject({ code: 'PermissionDenied' });
    expect(closed).toBe(true);
  });

  it('and fails is the error, whatever the driver makes of it', async () => {
    const failure = new Error('the source fails');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield text;
      throw failure;
    }
    const putStream: ObjectStoreDriver['putStream'] = async (_key, source) => {
      try {
        await Array.fromAsync(source);
      } catch {
        throw new ClientError({ code: 'Unknown', reason: 'the upload failed somehow' });
      }
    };
    const store = new DrivenObjectStore(driverWith({ putStream }));
    await expect(store.put('a', body())).rejects.toBe(failure);
  });

  it('and hangs keeps no failed upload open', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield text;
      await Promise.withResolvers<never>().promise;
    }
    const putStream: ObjectStoreDriver['putStream'] = async (_key, source) => {
      const chunks = source[Symbol.asyncIterator]();
      await chunks.next();
      void chunks.next().catch(() => undefined);
      throw new ClientError({ code: 'Unavailable', reason: 'gone' });
    };
    const store = new DrivenObjectStore(driverWith({ putStream }));
    await expect(store.put('a', body())).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

it('closes its driver once', async () => {
  let closed = 0;
  const store = new DrivenObjectStore(
    driverWith({
      close: async () => {
        closed += 1;
      },
    }),
  );
  await store.close();
  await store[Symbol.asyncDispose]();
  expect(closed).toBe(1);
  await expect(store.signUrl('a')).rejects.toMatchObject({ code: 'Closed' });
  await expect(store.getLock('a')).rejects.toMatchObject({ code: 'Closed' });
});
