import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { Storage, type StorageOptions } from '@google-cloud/storage';
import { isLifeboatError, type LifeboatError } from '@lifeboat/core';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HttpResponder, startHttpResponder } from './http-responder.ts';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';

const text = Buffer.from('text');
const partSizeBytes = 256 * 1024;
const calls = ['put', 'get', 'stat', 'list', 'listPrefixes', 'delete', 'getLock', 'putLock'];

function open(apiEndpoint: string, options: StorageOptions = {}): GcsObjectStore {
  const retryOptions = { autoRetry: false };
  const client = new Storage({ apiEndpoint, projectId: 'test', retryOptions, ...options });
  return new GcsObjectStore({ bucket: 'backups', client, partSizeBytes });
}

/** A server that refuses everything, in the words of Cloud Storage. */
function refusing(status: number, reason: string, message: string): Promise<HttpResponder> {
  const body = JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } });
  return startHttpResponder(() => ({ status, body }));
}

async function failureOf(call: Promise<unknown>): Promise<LifeboatError> {
  const error: unknown = await call.then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  if (!isLifeboatError(error)) throw new Error(`no error of ours: ${String(error)}`);
  return error;
}

async function refusalOf(store: GcsObjectStore, call: string, key = 'a'): Promise<LifeboatError> {
  const every: Readonly<Record<string, () => Promise<unknown>>> = {
    put: () => store.put(key, text),
    get: () => store.get(key),
    stat: () => store.stat(key),
    list: () => Array.fromAsync(store.list('')),
    listPrefixes: () => Array.fromAsync(store.listPrefixes('')),
    delete: () => store.delete(key),
    getLock: () => store.getLock(key),
    putLock: () => store.putLock(key, { legalHold: true }),
  };
  return failureOf(every[call]?.() ?? Promise.resolve());
}

describe('GcsObjectStore with wrong settings', () => {
  it.each(calls)('%s without the right to it is PermissionDenied', async (call) => {
    const words = 'backup@example.test does not have the access';
    await using server = await refusing(403, 'forbidden', words);
    await using store = open(server.endpoint);
    const error = await refusalOf(store, call);
    expect(error).toMatchObject({ code: 'PermissionDenied', retryable: false });
    expect(error.message).toMatch(/^ObjectStore\.\w+: .*gs:\/\/backups\/: the credentials give no/);
    expect(error.message).toContain(
      `check the roles of the service account (HTTP 403 forbidden: ${words})`,
    );
  });

  it.each(calls)('%s in a missing bucket is InvalidConfig', async (call) => {
    await using server = await refusing(404, 'notFound', 'The specified bucket does not exist.');
    await using store = open(server.endpoint);
    const error = await refusalOf(store, call);
    expect(error).toMatchObject({ code: 'InvalidConfig', retryable: false });
    expect(error.message).toContain('the bucket does not exist; create it or correct its name');
  });

  // An endpoint of a region serves the buckets of that region alone; the common one serves all.
  it('a bucket in another region than the endpoint is InvalidConfig', async () => {
    const words = 'The bucket is not in a location that this endpoint serves';
    await using server = await refusing(400, 'invalid', words);
    await using store = open(server.endpoint);
    const error = await failureOf(store.put('a', text));
    expect(error).toMatchObject({ code: 'InvalidConfig', retryable: false });
    expect(error.message).toBe(
      `ObjectStore.put: a in gs://backups/: Cloud Storage does not accept the request (HTTP 400 invalid: ${words})`,
    );
  });

  it.each([
    [
      'a wrong clock',
      'Invalid JWT: Token must be a short-lived token and in a reasonable timeframe.',
    ],
    ['a key that was deleted', 'Invalid JWT Signature.'],
  ])('%s is PermissionDenied, and the clock is named', async (_name, description) => {
    await using tokens = await startHttpResponder(() => ({
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ error: 'invalid_grant', error_description: description }),
    }));
    await using store = open(tokens.endpoint, {
      useAuthWithCustomEndpoint: true,
      credentials: {
        type: 'authorized_user',
        client_id: 'id',
        client_secret: 'hunter2',
        refresh_token: 'hunter3',
      },
      clientOptions: { endpoints: { oauth2TokenUrl: `${tokens.endpoint}/token` } },
    });
    const error = await failureOf(store.put('a', text));
    expect(error).toMatchObject({ code: 'PermissionDenied', retryable: false });
    expect(error.message).toBe(
      'ObjectStore.put: a in gs://backups/: the credentials were refused (invalid_grant); check the key, and the clock of this machine',
    );
    expect(tokens.requests.every(({ url }) => url === '/token')).toBe(true);
    for (const shown of [String(error), JSON.stringify(error), inspect(store, { depth: 9 })]) {
      expect(shown).not.toMatch(/hunter/);
    }
  });

  it('no credentials at all are PermissionDenied', async () => {
    await using store = open('https://storage.example.test', {
      useAuthWithCustomEndpoint: true,
      keyFilename: '/no/such/file.json',
    });
    expect(await failureOf(store.put('a', text))).toMatchObject({
      code: 'PermissionDenied',
      message: expect.stringContaining('there are no credentials that work') as string,
    });
  });

  it('credentials that cannot sign make no URL, and say what can', async () => {
    await using server = await refusing(403, 'forbidden', 'no');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await using store = open(server.endpoint, {
      credentials: { private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
    });
    expect(await failureOf(store.signUrl('a'))).toMatchObject({
      code: 'InvalidConfig',
      message: expect.stringContaining('the credentials cannot sign URLs') as string,
    });
  });
});

describe.skipIf(serverUnavailable('gcs') !== undefined)('GcsObjectStore with bad input', () => {
  let store: GcsObjectStore;
  beforeAll(async () => {
    const { endpoint: apiEndpoint } = objectStoreServer('gcs');
    const client = new Storage({ apiEndpoint, projectId: 'test' });
    const bucket = `bucket-${randomUUID()}`;
    await client.createBucket(bucket);
    store = new GcsObjectStore({ bucket, client, partSizeBytes });
  });

  it.each([
    ['', 'is absolute or has an empty component'],
    ['../a', '..'],
    ['k'.repeat(1_025), 'longer than 1024 bytes'],
  ])('the key "%s" is InvalidConfig', async (key, said) => {
    for (const call of ['put', 'get', 'stat', 'delete', 'getLock', 'putLock']) {
      const error = await refusalOf(store, call, key);
      expect(error).toMatchObject({ code: 'InvalidConfig', target: key, retryable: false });
      expect(error.message).toContain(said);
    }
  });

  it.each([text.byteLength - 1, text.byteLength + 1])(
    'a body that was announced with %d bytes and has others is PreconditionFailed',
    async (sizeBytes) => {
      const error = await failureOf(store.put('sized', text, { sizeBytes }));
      expect(error.code).toBe('PreconditionFailed');
      expect(error.message).toContain(`was announced with ${sizeBytes} bytes`);
      expect(await store.stat('sized')).toBeUndefined();
    },
  );

  it.each([1, 3])('a body that throws after %d parts is told as it is', async (parts) => {
    const failure = new Error('the source fails');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(parts * partSizeBytes);
      throw failure;
    }
    await expect(store.put('failed', body())).rejects.toBe(failure);
    expect(await store.stat('failed')).toBeUndefined();
  });

  it('a store that was closed, twice, is Closed', async () => {
    const { endpoint } = objectStoreServer('gcs');
    const closed = open(endpoint);
    await closed.close();
    await closed.close();
    const error = await failureOf(closed.put('a', text));
    expect(error).toMatchObject({ code: 'Closed', retryable: false });
    expect(error.message).toContain('gs://backups/');
  });
});
