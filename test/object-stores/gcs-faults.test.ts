import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';
import { retryingObjectStore } from '@lifeboat/core';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';

const mebibyte = 1024 * 1024;
const unavailable = { name: 'ObjectStoreError', code: 'Unavailable', retryable: true };

/** A stream of so many mebibytes, each filled with its number. */
async function* mebibytes(count: number): AsyncGenerator<Uint8Array> {
  for (let number = 0; number < count; number += 1) {
    yield new Uint8Array(mebibyte).fill(number);
  }
}

describe.skipIf(serverUnavailable('gcs') !== undefined)(
  'GcsObjectStore behind a broken network',
  () => {
    const bucket = `bucket-${randomUUID()}`;
    let proxy: FaultProxy;
    let store: GcsObjectStore;

    /** On a busy machine any read may seem to have stalled to a store that gives a connection up soon. */
    function open(stalledAfterMs?: number): GcsObjectStore {
      const retryOptions = { autoRetry: false };
      const client = new Storage({ apiEndpoint: proxy.endpoint, projectId: 'test', retryOptions });
      return new GcsObjectStore({ bucket, client, partSizeBytes: mebibyte, stalledAfterMs });
    }

    beforeAll(async () => {
      const { endpoint, port } = objectStoreServer('gcs');
      await new Storage({ apiEndpoint: endpoint, projectId: 'test' }).createBucket(bucket);
      proxy = await startFaultProxy(port);
      store = open();
    });
    beforeEach(() => {
      proxy.heal();
    });
    afterAll(async () => {
      await store.close();
      await proxy[Symbol.asyncDispose]();
    });

    it.each([2, 8, 14])(
      'an upload of 16 MiB whose connection breaks after %d MiB fails as Unavailable and leaves nothing',
      async (count) => {
        const folder = `broken-${randomUUID()}/`;
        proxy.resetAfterSending(count * mebibyte);
        await expect(store.put(`${folder}a`, mebibytes(16))).rejects.toMatchObject(unavailable);
        expect(await Array.fromAsync(store.list(folder))).toEqual([]);
      },
    );

    it('an upload that is aborted while the server is silent ends soon and leaves nothing', async () => {
      const controller = new AbortController();
      const reason = new Error('stop');
      async function* body(): AsyncGenerator<Uint8Array> {
        yield* mebibytes(3);
        proxy.stallAfterReceiving(0);
        setTimeout(() => {
          controller.abort(reason);
          proxy.heal();
        }, 50);
        yield* mebibytes(200);
      }
      const { signal } = controller;
      const folder = `aborted-${randomUUID()}/`;
      await expect(store.put(`${folder}a`, body(), { signal })).rejects.toBe(reason);
      expect(await Array.fromAsync(store.list(folder))).toEqual([]);
    });

    it('a put is stopped at every stage, and is there whole or not at all', async () => {
      const outcomes = [];
      for (let delayMs = 0; delayMs <= 60; delayMs += 5) {
        const key = `stages-${randomUUID()}/${delayMs}`;
        const controller = new AbortController();
        const reason = new Error(`stopped after ${delayMs} ms`);
        const timer = setTimeout(() => {
          controller.abort(reason);
        }, delayMs);
        const outcome: unknown = await store
          .put(key, mebibytes(12), { signal: controller.signal, ifAbsent: true })
          .then(
            () => 'stored',
            (error: unknown) => error,
          );
        clearTimeout(timer);
        outcomes.push(outcome);
        expect([reason, 'stored']).toContain(outcome);
        const sizeBytes = (await store.stat(key))?.sizeBytes;
        expect(sizeBytes).toBe(outcome === 'stored' ? 12 * mebibyte : undefined);
      }
      expect(outcomes.some((outcome) => outcome !== 'stored')).toBe(true);
    });

    it('a read that stalls fails as Unavailable, and its connection is given up', async () => {
      await using hasty = open(300);
      await hasty.put('long', mebibytes(8));
      proxy.stallAfterReceiving(2 * mebibyte);
      await expect(Array.fromAsync(await hasty.get('long'))).rejects.toMatchObject({
        ...unavailable,
        message: expect.stringContaining('nothing has arrived for 300 ms') as string,
      });
      proxy.heal();
      expect(Buffer.concat(await Array.fromAsync(await store.get('long')))).toHaveLength(
        8 * mebibyte,
      );
    });

    it('a slow reader is no stall', async () => {
      await using hasty = open(2_000);
      await hasty.put('slow', mebibytes(2));
      let read = 0;
      for await (const chunk of await hasty.get('slow')) {
        if (read === 0) await sleep(2_500);
        read += chunk.byteLength;
      }
      expect(read).toBe(2 * mebibyte);
    });

    it('a server that is overloaded is waited for as long as it asks', async () => {
      const pauses: number[] = [];
      const clock = {
        now: () => new Date(),
        sleep: async (ms: number) => {
          pauses.push(ms);
        },
      };
      proxy.answer({ status: 429, headers: { 'retry-after': '7' } });
      proxy.answer({ status: 503 });
      await retryingObjectStore(store, { clock }).put('busy', Buffer.from('text'));
      expect(pauses).toHaveLength(2);
      expect(pauses[0]).toBe(7_000);
    });

    it('a conditional put whose answer is lost is known to have won', async () => {
      const key = `claim-${randomUUID()}`;
      proxy.resetAfterReceiving(0);
      await store.put(key, Buffer.from('run 4711'), { ifAbsent: true });
      const other = store.put(key, Buffer.from('run 4712'), { ifAbsent: true });
      await expect(other).rejects.toMatchObject({ code: 'AlreadyExists' });
    });
  },
);
