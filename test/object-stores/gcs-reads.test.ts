import { CRC32C, Storage } from '@google-cloud/storage';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { describe, expect, it } from 'vitest';
import { type HttpResponder, startHttpResponder } from './http-responder.ts';

const text = 'the bytes of an object';

function open({ endpoint }: HttpResponder): GcsObjectStore {
  const retryOptions = { autoRetry: false };
  const client = new Storage({ apiEndpoint: endpoint, projectId: 'test', retryOptions });
  return new GcsObjectStore({ bucket: 'backups', client });
}

/** A server that gives the text as an object whose checksum is that of another one. */
function serving(headers: Readonly<Record<string, string>>, status = 200): Promise<HttpResponder> {
  return startHttpResponder(() => ({ status, headers, body: text }));
}

function hashOf(content: string): string {
  const checksum = new CRC32C();
  checksum.update(Buffer.from(content));
  return `crc32c=${checksum.toString()},md5=AAAAAAAAAAAAAAAAAAAAAA==`;
}

async function readAll(store: GcsObjectStore, range?: { readonly start: number }): Promise<string> {
  return Buffer.concat(await Array.fromAsync(await store.get('a', { range }))).toString();
}

describe('a read of GcsObjectStore', () => {
  it('gives bytes whose checksum is that of the object', async () => {
    await using server = await serving({ 'x-goog-hash': hashOf(text) });
    await using store = open(server);
    expect(await readAll(store)).toBe(text);
  });

  it('fails at its end when the checksum is another one', async () => {
    await using server = await serving({ 'x-goog-hash': hashOf('other bytes') });
    await using store = open(server);
    await expect(readAll(store)).rejects.toMatchObject({
      code: 'Unavailable',
      retryable: true,
      message: expect.stringMatching(
        /^ObjectStore\.get: a in gs:\/\/backups\/: the bytes that came are not those that were stored/,
      ) as string,
    });
  });

  it.each([
    ['the service tells none', {}],
    [
      'the service has unpacked the object on its way',
      { 'x-goog-stored-content-encoding': 'gzip' },
    ],
  ])('compares no checksum when %s', async (_name, headers) => {
    const hash = 'x-goog-stored-content-encoding' in headers ? hashOf('packed') : 'md5=AAAA';
    await using server = await serving({ 'x-goog-hash': hash, ...headers });
    await using store = open(server);
    expect(await readAll(store)).toBe(text);
  });

  it('compares no checksum of a range, which is that of the whole object', async () => {
    await using server = await serving({ 'x-goog-hash': hashOf('all') }, 206);
    await using store = open(server);
    expect(await readAll(store, { start: 3 })).toBe(text);
    expect(server.requests[0]?.headers.range).toBe('bytes=3-');
  });
});
