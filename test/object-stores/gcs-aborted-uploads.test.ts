import type { GcsObjectStore } from '@lifeboat/storage-gcs';
import { describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import {
  begun,
  bytes,
  keptTo,
  length,
  md5Of,
  open,
  ranges,
  session,
  stored,
  streamOf,
} from './gcs-session.ts';
import { type Response, type SeenRequest, startHttpResponder } from './http-responder.ts';

describe('an upload of GcsObjectStore that is aborted', () => {
  const reason = new Error('aborted');

  it('while its source hangs is forgotten', async () => {
    await using server = await session({ status: 499 });
    await using store = open(server);
    const controller = new AbortController();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield bytes;
      setTimeout(() => {
        controller.abort(reason);
      }, 20);
      await Promise.withResolvers<never>().promise;
    }
    await expect(store.put('a', body(), { signal: controller.signal })).rejects.toBe(reason);
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
  });

  it('after all was sent tells what its answer says', async () => {
    const controller = new AbortController();
    await using server = await session(() => {
      controller.abort(reason);
      return stored();
    });
    await using store = open(server);
    await store.put('a', streamOf(bytes), { signal: controller.signal });
    expect(ranges(server)).toEqual(['bytes 0-*/*']);
  });

  it('after all was sent, and then refused, rejects with the reason', async () => {
    const controller = new AbortController();
    await using server = await session(
      () => {
        controller.abort(reason);
        return { status: 503 };
      },
      { status: 499 },
    );
    await using store = open(server);
    await expect(store.put('a', streamOf(bytes), { signal: controller.signal })).rejects.toBe(
      reason,
    );
    expect(ranges(server).at(-1)).toBe('DELETE');
  });
});

describe('an upload of GcsObjectStore that is aborted after all was sent, and gets no answer', () => {
  const reason = new Error('aborted');

  /** Puts through a connection that breaks with the answer, just after the abort. */
  async function putAndAbort(
    put: (store: GcsObjectStore, signal: AbortSignal) => Promise<void>,
    ...later: readonly Response[]
  ): Promise<readonly SeenRequest[]> {
    const controller = new AbortController();
    const broken: { proxy?: FaultProxy } = {};
    let answers = 0;
    await using server = await startHttpResponder(({ method, url }) => {
      if (method === 'POST' && url.includes('resumable')) return begun(url);
      answers += 1;
      if (answers > 1) return later[Math.min(answers - 2, later.length - 1)] ?? { status: 500 };
      controller.abort(reason);
      broken.proxy?.resetAfterReceiving(0);
      return stored();
    });
    await using started = await startFaultProxy(server.port);
    broken.proxy = started;
    await using store = open(started);
    await put(store, controller.signal);
    return server.requests;
  }

  it('is asked for, and stored if the session has become an object', async () => {
    const put = (store: GcsObjectStore, signal: AbortSignal): Promise<void> =>
      store.put('a', streamOf(bytes), { signal });
    const requests = await putAndAbort(put, stored());
    expect(requests.at(-1)?.headers['content-range']).toBe(`bytes */${length}`);
  });

  it('is asked for, and forgotten if it has not', async () => {
    const put = (store: GcsObjectStore, signal: AbortSignal): Promise<void> =>
      expect(store.put('a', streamOf(bytes), { signal })).rejects.toBe(reason);
    const requests = await putAndAbort(put, keptTo(length), { status: 499 });
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'PUT', 'DELETE']);
  });

  it.each([
    ['stored if the object holds these very bytes', md5Of(bytes)],
    ['none if it holds others', md5Of(Buffer.from('others'))],
  ])('is looked for when it was one request, and %s', async (_name, md5Hash) => {
    const body = JSON.stringify({ size: `${length}`, md5Hash });
    const put = async (store: GcsObjectStore, signal: AbortSignal): Promise<void> => {
      const outcome = await store.put('a', bytes, { signal }).catch((error: unknown) => error);
      expect(outcome).toBe(md5Hash === md5Of(bytes) ? undefined : reason);
    };
    const requests = await putAndAbort(put, { status: 200, body });
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });
});
