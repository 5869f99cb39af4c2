import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { Storage } from '@google-cloud/storage';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { describe, expect, it } from 'vitest';
import { type HttpResponder, startHttpResponder } from './http-responder.ts';

const bucket = 'backups';
const unrepeated = { autoRetry: false };

function clientOf(apiEndpoint: string, retryOptions = {}): Storage {
  return new Storage({ apiEndpoint, projectId: 'test', retryOptions });
}

function open(apiEndpoint: string, retryOptions = {}): GcsObjectStore {
  return new GcsObjectStore({ bucket, client: clientOf(apiEndpoint, retryOptions) });
}

function refuse(status: number, reason: string, message = ''): () => Promise<HttpResponder> {
  const body = JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } });
  return () => startHttpResponder(() => ({ status, body }));
}

describe('GcsObjectStore asks', () => {
  const created = JSON.stringify({ name: 'a', size: '1' });

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
