import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { Storage } from '@google-cloud/storage';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { describe, expect, it } from 'vitest';
import { type HttpResponder, startHttpResponder } from './http-responder.ts';

const partSizeBytes = 256 * 1024;
const bucket = 'backups';
const unrepeated = { autoRetry: false };

function clientOf(apiEndpoint: string, retryOptions = {}): Storage {
  return new Storage({ apiEndpoint, projectId: 'test', retryOptions });
}

function open(apiEndpoint: string, retryOptions = {}): GcsObjectStore {
  return new GcsObjectStore({ bucket, client: clientOf(apiEndpoint, retryOptions), partSizeBytes });
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function refuse(status: number, reason: string, message = ''): () => Promise<HttpResponder> {
  const body = JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } });
  return () => startHttpResponder(() => ({ status, body }));
}

describe('GcsObjectStore asks', () => {
  const created = JSON.stringify({ name: 'a', size: '1' });

  it('for the deletion of an upload that fails', async () => {
    await using server = await startHttpResponder(({ method, url }) => {
      if (method === 'DELETE') return { status: 499 };
      if (method === 'POST') return { status: 200, headers: { location: `${url}&upload_id=7` } };
      return { status: 308, headers: { range: `bytes=0-${partSizeBytes - 1}` } };
    });
    await using store = open(server.endpoint);
    const failure = new Error('the source fails');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(partSizeBytes + 1);
      throw failure;
    }
    await expect(store.put('a', body())).rejects.toBe(failure);
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE']);
    expect(server.requests[2]?.url).toContain('upload_id=7');
  });

  it('for the deletion of an upload that is aborted while a part is sent', async () => {
    const controller = new AbortController();
    const reason = new Error('aborted');
    await using server = await startHttpResponder(({ method, url }) => {
      if (method === 'POST') return { status: 200, headers: { location: `${url}&upload_id=7` } };
      controller.abort(reason);
      return { status: 499 };
    });
    await using store = open(server.endpoint);
    const body = streamOf(Buffer.alloc(3 * partSizeBytes));
    await expect(store.put('a', body, { signal: controller.signal })).rejects.toBe(reason);
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE']);
  });

  it('for what the server has not kept of a part once more', async () => {
    const kept = 100;
    await using server = await startHttpResponder(({ method, url, headers }) => {
      if (method === 'POST') return { status: 200, headers: { location: `${url}&upload_id=7` } };
      return headers['content-range']?.startsWith('bytes 0-')
        ? { status: 308, headers: { range: `bytes=0-${kept - 1}` } }
        : {
            status: headers['content-range']?.endsWith('/*') ? 308 : 200,
            headers: { range: `bytes=0-${partSizeBytes - 1}` },
          };
    });
    await using store = open(server.endpoint);
    await store.put('a', streamOf(Buffer.alloc(partSizeBytes + 1)));
    expect(server.requests.slice(1).map(({ headers }) => headers['content-range'])).toEqual([
      `bytes 0-${partSizeBytes - 1}/*`,
      `bytes ${kept}-${partSizeBytes - 1}/*`,
      `bytes ${partSizeBytes}-${partSizeBytes}/${partSizeBytes + 1}`,
    ]);
  });

  it('with a customer key, and tells nobody of it', async () => {
    await using server = await startHttpResponder(({ method }) =>
      method === 'GET' ? { status: 404, body: 'no document' } : { status: 200, body: created },
    );
    const key = Buffer.alloc(32, 'secret');
    await using store = new GcsObjectStore({
      bucket,
      client: clientOf(server.endpoint),
      encryption: { type: 'CSEK', key },
    });
    await store.put('a', Buffer.from('a'));
    const error: unknown = await store.get('a').catch((caught: unknown) => caught);
    for (const { headers } of server.requests) {
      expect(headers).toMatchObject({
        'x-goog-encryption-algorithm': 'AES256',
        'x-goog-encryption-key': key.toString('base64'),
      });
    }
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(key.toString('base64'));
  });

  it('with a key of Cloud KMS and the project that pays', async () => {
    await using server = await startHttpResponder(() => ({ status: 200, body: created }));
    await using store = new GcsObjectStore({
      bucket,
      client: clientOf(server.endpoint),
      encryption: { type: 'CMEK', kmsKeyName: 'projects/p/k' },
      userProject: 'payer',
    });
    await store.put('a', Buffer.from('a'), { ifAbsent: true });
    const { searchParams } = new URL(server.requests[0]?.url ?? '', server.endpoint);
    expect(Object.fromEntries(searchParams)).toEqual({
      kmsKeyName: 'projects/p/k',
      userProject: 'payer',
      uploadType: 'multipart',
      ifGenerationMatch: '0',
    });
  });

  it('for a retention and a hold', async () => {
    await using server = await startHttpResponder(() => ({
      status: 200,
      body: JSON.stringify({
        retention: { mode: 'Locked', retainUntilTime: '2027-01-01T00:00:00Z' },
        temporaryHold: true,
      }),
    }));
    await using store = open(server.endpoint);
    const until = new Date('2027-01-01T00:00:00Z');
    const lock = { retention: { mode: 'compliance', until }, legalHold: true } as const;
    await store.putLock('a', lock);
    expect(server.requests[0]?.method).toBe('PATCH');
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      retention: { mode: 'Locked', retainUntilTime: '2027-01-01T00:00:00.000Z' },
      temporaryHold: true,
    });
    await expect(store.getLock('a')).resolves.toEqual(lock);
  });

  it('for a signature, which the client makes', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const credentials = { client_email: 'a@example.test', private_key: privateKey };
    await using store = new GcsObjectStore({ bucket, client: new Storage({ credentials }) });
    const { pathname, searchParams } = new URL(await store.signUrl('a b', { expiresInMs: 60_000 }));
    expect(pathname).toBe(`/${bucket}/a%20b`);
    expect(Number(searchParams.get('X-Goog-Expires'))).toBeLessThanOrEqual(60);
    expect(searchParams.get('X-Goog-Signature')).toMatch(/^[0-9a-f]{512}$/);
  });
});

describe('GcsObjectStore goes on', () => {
  it('with what the server says it has, when a part gets no answer', async () => {
    const kept = 1_000;
    await using server = await startHttpResponder(({ method, url, headers }) => {
      const range = headers['content-range'] ?? '';
      if (method === 'POST') return { status: 200, headers: { location: `${url}&upload_id=7` } };
      if (range.startsWith('bytes 0-')) return { status: 503 };
      return range.endsWith(`/${partSizeBytes + 1}`)
        ? { status: 200 }
        : {
            status: 308,
            headers: {
              range: `bytes=0-${range === 'bytes */*' ? kept - 1 : partSizeBytes - 1}`,
            },
          };
    });
    await using store = open(server.endpoint);
    await store.put('a', streamOf(Buffer.alloc(partSizeBytes + 1)));
    expect(server.requests.slice(1).map(({ headers }) => headers['content-range'])).toEqual([
      `bytes 0-${partSizeBytes - 1}/*`,
      'bytes */*',
      `bytes ${kept}-${partSizeBytes - 1}/*`,
      `bytes ${partSizeBytes}-${partSizeBytes}/${partSizeBytes + 1}`,
    ]);
  });

  it('after a conditional put whose answer is lost only by telling so', async () => {
    await using server = await startHttpResponder(() => ({ status: 503 }));
    await using store = open(server.endpoint);
    const put = store.put('a', Buffer.from('a'), { ifAbsent: true });
    await expect(put).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
    expect(server.requests).toHaveLength(1);
  });
});

describe('GcsObjectStore says what an answer means', () => {
  it.each([
    [401, 'authError', 'PermissionDenied', false],
    [403, 'retentionPolicyNotMet', 'Retained', false],
    [403, 'objectUnderActiveHold', 'Retained', false],
    [403, 'userRateLimitExceeded', 'RateLimited', true],
    [400, 'customerEncryptionKeyIsIncorrect', 'InvalidConfig', false],
    [429, 'rateLimitExceeded', 'RateLimited', true],
    [503, 'backendError', 'Unavailable', true],
    [418, 'teapot', 'Unknown', false],
  ])('%d %s is %s', async (status, reason, code, retryable) => {
    await using server = await refuse(status, reason)();
    await using store = open(server.endpoint, unrepeated);
    await expect(store.delete('a')).rejects.toMatchObject({ code, retryable, target: 'a' });
  });

  it('a missing bucket is InvalidConfig, not a missing object', async () => {
    await using server = await refuse(404, 'notFound', 'The specified bucket does not exist.')();
    await using store = open(server.endpoint);
    await expect(store.stat('a')).rejects.toThrow(/the bucket does not exist/);
  });
});
