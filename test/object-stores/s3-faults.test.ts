import { setTimeout as sleep } from 'node:timers/promises';
import { retryingObjectStore } from '@lifeboat/core';
import type { S3ObjectStore } from '@lifeboat/storage-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';
import { createS3Bucket, type S3Bucket } from './s3-bucket.ts';

const mebibyte = 1024 * 1024;
const partSizeBytes = 5 * mebibyte;
const unavailable = { name: 'ObjectStoreError', code: 'Unavailable', retryable: true };

/** A stream of so many mebibytes, each filled with its number. */
async function* mebibytes(count: number): AsyncGenerator<Uint8Array> {
  for (let number = 0; number < count; number += 1) {
    yield new Uint8Array(mebibyte).fill(number);
  }
}

async function assertMebibytes(store: S3ObjectStore, key: string, count: number): Promise<void> {
  let read = 0;
  for await (const chunk of await store.get(key)) {
    for (const [first, last] of [[chunk.at(0), chunk.at(-1)]]) {
      expect(first).toBe(Math.floor(read / mebibyte));
      expect(last).toBe(Math.floor((read + chunk.byteLength - 1) / mebibyte));
    }
    read += chunk.byteLength;
  }
  expect(read).toBe(count * mebibyte);
}

describe.skipIf(serverUnavailable('s3') !== undefined)(
  'S3ObjectStore behind a broken network',
  () => {
    let bucket: S3Bucket;
    let proxy: FaultProxy;
    let store: S3ObjectStore;
    let patient: S3ObjectStore;

    beforeEach(async () => {
      bucket = await createS3Bucket();
      proxy = await startFaultProxy(objectStoreServer('s3').port);
      const options = { partSizeBytes, concurrency: 2 };
      store = bucket.open(options, { endpoint: proxy.endpoint });
      patient = bucket.open(options, { endpoint: proxy.endpoint, maxAttempts: 4 });
    });
    afterEach(async () => {
      await store.close();
      await patient.close();
      await proxy[Symbol.asyncDispose]();
    });

    /** A store that gives a connection up soon; on a busy machine any other read may seem to have stalled to it. */
    function openHasty(stalledAfterMs: number): S3ObjectStore {
      return bucket.open({ partSizeBytes, stalledAfterMs }, { endpoint: proxy.endpoint });
    }

    async function assertNothingLeft(): Promise<void> {
      expect(await Array.fromAsync(store.list(''))).toEqual([]);
      expect(await bucket.danglingUploads('')).toBe(0);
    }

    it.each([2, 8, 14])(
      'an upload of 16 MiB whose connection breaks after %d MiB fails as Unavailable and leaves nothing',
      async (count) => {
        proxy.resetAfterSending(count * mebibyte);
        await expect(store.put('a', mebibytes(16))).rejects.toMatchObject(unavailable);
        await assertNothingLeft();
      },
    );

    it('an upload whose connection breaks goes on when the client may try again', async () => {
      proxy.resetAfterSending(8 * mebibyte);
      await patient.put('a', mebibytes(16));
      await assertMebibytes(store, 'a', 16);
      expect(await bucket.danglingUploads('')).toBe(0);
    });

    it('a part that fails ends the upload even while the source hangs', async () => {
      let closed = false;
      async function* body(): AsyncGenerator<Uint8Array> {
        try {
          yield* mebibytes(7);
          await Promise.withResolvers<never>().promise;
        } finally {
          closed = true;
        }
      }
      proxy.resetAfterSending(2 * mebibyte);
      await expect(store.put('a', body())).rejects.toMatchObject(unavailable);
      await assertNothingLeft();
      // The source hangs in an await of its own: nothing can close it before that ends.
      expect(closed).toBe(false);
    });

    it('an upload that is aborted while the server is silent ends at once and leaves nothing', async () => {
      const controller = new AbortController();
      const reason = new Error('stop');
      async function* body(): AsyncGenerator<Uint8Array> {
        yield* mebibytes(11);
        proxy.stallAfterReceiving(0);
        const ownProxy = proxy;
        setTimeout(() => {
          controller.abort(reason);
          ownProxy.heal();
        }, 100);
        yield* mebibytes(11);
      }
      await expect(store.put('a', body(), { signal: controller.signal })).rejects.toBe(reason);
      await assertNothingLeft();
    });

    it.each([
      ['bytes', () => Buffer.alloc(mebibyte)],
      ['a short stream', () => mebibytes(1)],
    ])(
      'a put of %s whose answer comes after the abort has stored it, and says so',
      async (_, bodyOf) => {
        // The connection lets one answer through, and is used again.
        proxy.stallAfterReceiving(0);
        await store.stat('a');
        const controller = new AbortController();
        const put = store.put('a', bodyOf(), { signal: controller.signal });
        await expect.poll(() => bucket.sizeOf('a')).toBe(mebibyte);
        controller.abort(new Error('stop'));
        // The timer may outlive this test: it must not heal the proxy of the next one.
        const ownProxy = proxy;
        setTimeout(() => {
          ownProxy.heal();
        }, 100);
        await put;
        await expect(store.stat('a')).resolves.toMatchObject({ sizeBytes: mebibyte });
      },
    );

    it('a read that stalls fails as Unavailable, and its connection is given up', async () => {
      await using hasty = openHasty(300);
      await hasty.put('a', mebibytes(8));
      proxy.stallAfterReceiving(2 * mebibyte);
      await expect(assertMebibytes(hasty, 'a', 8)).rejects.toMatchObject({
        ...unavailable,
        message: expect.stringContaining('nothing has arrived for 300 ms') as string,
      });
      proxy.heal();
      await expect.poll(() => proxy.openConnections).toBe(0);
      await assertMebibytes(store, 'a', 8);
    });

    it('a slow reader is no stall', async () => {
      await using hasty = openHasty(2_000);
      await hasty.put('a', mebibytes(2));
      let read = 0;
      for await (const chunk of await hasty.get('a')) {
        if (read === 0) await sleep(2_500);
        read += chunk.byteLength;
      }
      expect(read).toBe(2 * mebibyte);
    });

    it('a read whose connection breaks fails, and does not end early', async () => {
      await store.put('a', mebibytes(8));
      proxy.resetAfterReceiving(3 * mebibyte);
      await expect(assertMebibytes(store, 'a', 8)).rejects.toMatchObject(unavailable);
    });

    it('a read that is aborted closes its connection, also before its first byte is asked for', async () => {
      await store.put('a', mebibytes(8));
      for (const startsReading of [true, false]) {
        const controller = new AbortController();
        const reason = new Error('stop');
        const body = await store.get('a', { signal: controller.signal });
        if (startsReading) await body[Symbol.asyncIterator]().next();
        controller.abort(reason);
        await expect.poll(() => proxy.openConnections).toBe(0);
        await expect(Array.fromAsync(body)).rejects.toBe(reason);
      }
    });

    describe('a server that is overloaded', () => {
      it('is Unavailable when it answers 503', async () => {
        proxy.answer({ status: 503 });
        await expect(store.stat('a')).rejects.toMatchObject(unavailable);
      });

      it('and answers 503 for a while is waited for', async () => {
        proxy.answer({ status: 503 }, 3);
        await patient.put('a', mebibytes(1));
        await assertMebibytes(store, 'a', 1);
      });

      it('is RateLimited when it says SlowDown', async () => {
        proxy.answer({
          status: 503,
          body: '<Error><Code>SlowDown</Code><Message>Slow</Message></Error>',
        });
        await expect(store.get('a')).rejects.toMatchObject({
          code: 'RateLimited',
          retryable: true,
        });
      });

      it('is RateLimited when it answers 429, and says for how long', async () => {
        proxy.answer({ status: 429, headers: { 'retry-after': '7' } });
        await expect(store.delete('a')).rejects.toMatchObject({
          code: 'RateLimited',
          retryable: true,
          retryAfterMs: 7_000,
        });
      });

      it('is waited for as long as it asks', async () => {
        const pauses: number[] = [];
        const clock = {
          now: () => new Date(),
          sleep: async (ms: number) => {
            pauses.push(ms);
          },
        };
        proxy.answer({ status: 429, headers: { 'retry-after': '7' } }, 2);
        await retryingObjectStore(store, { clock }).put('a', Buffer.from('text'));
        expect(pauses).toEqual([7_000, 7_000]);
      });
    });

    it.each([
      ['the client', () => patient],
      ['retryingObjectStore', () => retryingObjectStore(store, { firstPauseMs: 1 })],
    ])(
      'a conditional put whose answer is lost is known to have won: tried again by %s',
      async (_who, open) => {
        const bytes = Buffer.from('run 4711');
        proxy.resetAfterReceiving(0);
        await open().put('claim', bytes, { ifAbsent: true });
        expect(Buffer.concat(await Array.fromAsync(await store.get('claim')))).toEqual(bytes);
        await expect(
          open().put('claim', Buffer.from('run 4712'), { ifAbsent: true }),
        ).rejects.toMatchObject({
          code: 'AlreadyExists',
        });
      },
    );

    it('a stream is read no further than there is room for, whatever its length', async () => {
      let pulled = 0;
      async function* body(): AsyncGenerator<Uint8Array> {
        for await (const chunk of mebibytes(60)) {
          pulled += 1;
          yield chunk;
        }
      }
      // Each connection lets its first answer through: enough to begin the upload, and for a part or two.
      proxy.stallAfterReceiving(0);
      const put = store.put('a', body());
      await expect.poll(() => pulled).toBeGreaterThan(10);
      await sleep(300);
      expect(pulled).toBeLessThanOrEqual(30);
      proxy.heal();
      await put;
      await assertMebibytes(store, 'a', 60);
    });
  },
);
