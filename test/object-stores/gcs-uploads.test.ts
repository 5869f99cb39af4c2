import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
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
import { startHttpResponder } from './http-responder.ts';

describe('an upload of GcsObjectStore', () => {
  it('sends a stream that a part does not hold with one request', async () => {
    await using server = await session(stored());
    await using store = open(server);
    await store.put('a', streamOf(bytes), { contentType: 'text/x', ifAbsent: true });
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
    expect(server.requests[0]?.url).toContain('uploadType=resumable&name=a&ifGenerationMatch=0');
    expect(server.requests[0]?.headers['x-upload-content-type']).toBe('text/x');
    expect(ranges(server)).toEqual(['bytes 0-*/*']);
  });

  it.each([
    ['a request with 503', { status: 503 }],
    ['the end with 308', keptTo(1_000)],
  ])('goes on behind what is kept when the server answers %s', async (_name, answer) => {
    await using server = await session(answer, keptTo(1_000), stored());
    await using store = open(server);
    await store.put('a', streamOf(bytes));
    expect(ranges(server)).toEqual([
      expect.stringMatching(/^bytes 0-/),
      `bytes */${length}`,
      `bytes 1000-${length - 1}/${length}`,
    ]);
    expect(server.requests[3]?.body).toBe(bytes.subarray(1_000).toString());
  });

  it('ends with no more bytes when all are kept and the answer was lost', async () => {
    await using server = await session({ status: 503 }, keptTo(length), stored());
    await using store = open(server);
    await store.put('a', streamOf(bytes));
    expect(ranges(server).at(-1)).toBe(`bytes */${length}`);
  });

  it('is stored when the server says so after its answer was lost', async () => {
    await using server = await session({ status: 503 }, stored());
    await using store = open(server);
    await store.put('a', streamOf(bytes));
    expect(ranges(server)).toHaveLength(2);
  });

  it('fails when the bytes that are missing are not held any more', async () => {
    await using server = await session({ status: 503 }, keptTo(0), { status: 499 });
    await using store = open(server);
    const put = store.put('a', streamOf(...Array.from({ length: 5 }, () => bytes)));
    await expect(put).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
    expect(ranges(server).at(-1)).toBe('DELETE');
  });

  it('gives up when the server keeps nothing, and has it forget the upload', async () => {
    await using server = await session(({ method }) =>
      method === 'DELETE' ? { status: 499 } : keptTo(0),
    );
    await using store = open(server);
    await expect(store.put('a', streamOf(bytes))).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('has not kept what was uploaded') as string,
    });
    expect(ranges(server).at(-1)).toBe('DELETE');
  });

  it('is removed when something else was stored than was sent', async () => {
    await using server = await session(stored({ crc32c: 'AAAAAA==' }), { status: 204 });
    await using store = open(server);
    await expect(store.put('a', streamOf(bytes))).rejects.toMatchObject({
      code: 'Unavailable',
      retryable: true,
      message: expect.stringContaining('differs from what was sent, and was removed') as string,
    });
    expect(server.requests.at(-1)).toMatchObject({
      method: 'DELETE',
      url: '/storage/v1/b/backups/o/a?ifGenerationMatch=42',
    });
  });

  it('is forgotten when its source fails, which the server does not take for its end', async () => {
    await using server = await session({ status: 499 });
    await using store = open(server);
    const failure = Object.assign(new Error('the source fails'), { code: 'ECONNRESET' });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield bytes;
      await sleep(20);
      throw failure;
    }
    await expect(store.put('a', body())).rejects.toBe(failure);
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
    expect(server.requests[1]?.url).toContain('upload_id=7');
  });

  it.each([403, 412])('is refused with %d before it is sent whole', async (status) => {
    await using server = await session({ status });
    await using store = open(server);
    const put = store.put('a', streamOf(bytes), { ifAbsent: true });
    const code = status === 403 ? 'PermissionDenied' : 'AlreadyExists';
    await expect(put).rejects.toMatchObject({ code });
  });
});

it('GcsObjectStore reads no more of a stream than the connection takes', async () => {
  const server = createServer(({ method, url = '' }, response) => {
    // The bytes of the stream are left in the connection.
    if (method !== 'PUT') response.writeHead(200, begun(url).headers).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using store = open({ endpoint: `http://127.0.0.1:${port}` });
  const controller = new AbortController();
  const mebibyte = new Uint8Array(1024 * 1024);
  let pulled = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for (; pulled < 500; pulled += 1) yield mebibyte;
  }
  const put = store.put('a', body(), { signal: controller.signal });
  let before = -1;
  const isStill = (): boolean => {
    const same = pulled === before;
    before = pulled;
    return same && pulled > 0;
  };
  await expect.poll(isStill, { interval: 200 }).toBe(true);
  expect(pulled).toBeLessThan(100);
  controller.abort(new Error('stop'));
  await expect(put).rejects.toThrow('stop');
  server.closeAllConnections();
  server.close();
});

describe('a small object of GcsObjectStore', () => {
  const small = Buffer.from('run 4711');

  it('whose conditional put got no answer is stored if it holds these very bytes', async () => {
    await using server = await startHttpResponder(({ method }) =>
      method === 'POST'
        ? { status: 503 }
        : { status: 200, body: JSON.stringify({ size: '8', md5Hash: md5Of(small) }) },
    );
    await using store = open(server);
    await store.put('a', small, { ifAbsent: true });
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  it.each([
    ['is not there', { status: 404 }],
    ['holds others', { status: 200, body: JSON.stringify({ size: '8', md5Hash: md5Of(bytes) }) }],
  ])('whose conditional put got no answer has failed if it %s', async (_name, answer) => {
    await using server = await startHttpResponder(({ method }) =>
      method === 'POST' ? { status: 503 } : answer,
    );
    await using store = open(server);
    const put = store.put('a', small, { ifAbsent: true });
    await expect(put).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });
});
