import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Storage, type StorageOptions } from '@google-cloud/storage';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closedEndpoint } from './closed-endpoint.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type HttpResponder, startHttpResponder } from './http-responder.ts';
import { type ContractHost, keepsTheContract } from './keep-the-contract.ts';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';

const partSizeBytes = 256 * 1024;
const bucket = `bucket-${randomUUID()}`;
// The server looks at no signature, and the client signs with nothing but a key.
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const credentials = { client_email: 'backup@example.test', private_key: privateKey };

function open(apiEndpoint: string, options: StorageOptions = {}): GcsObjectStore {
  const client = new Storage({ apiEndpoint, projectId: 'test', credentials, ...options });
  // The server takes links to its own address alone, not to that of a proxy.
  const { endpoint: publicEndpoint } = objectStoreServer('gcs');
  return new GcsObjectStore({ bucket, client, partSizeBytes, publicEndpoint });
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe.skipIf(serverUnavailable('gcs') !== undefined)('GcsObjectStore', () => {
  let proxy: FaultProxy;
  let refusing: HttpResponder;
  let host: ContractHost;

  beforeAll(async () => {
    const { endpoint, port } = objectStoreServer('gcs');
    await new Storage({ apiEndpoint: endpoint, projectId: 'test' }).createBucket(bucket);
    proxy = await startFaultProxy(port);
    // The server checks no credentials; this is how Cloud Storage refuses them.
    refusing = await startHttpResponder(() => ({
      status: 403,
      body: '{"error":{"code":403,"errors":[{"reason":"forbidden"}]}}',
    }));
    host = {
      store: open(proxy.endpoint),
      open: () => open(proxy.endpoint),
      partSizeBytes,
      requestCount: () => proxy.requests,
      unauthorizedStore: open(refusing.endpoint),
      unreachableStore: open(await closedEndpoint(), { retryOptions: { autoRetry: false } }),
    };
  });
  beforeEach(() => {
    proxy.heal();
  });
  afterAll(async () => {
    await host.store.close();
    await proxy[Symbol.asyncDispose]();
    await refusing[Symbol.asyncDispose]();
  });

  // The server tells nobody of its upload sessions and enforces no locks: gcs-requests.test.ts looks at what is sent.
  keepsTheContract({ host: () => host, leaves: ['danglingUploads', 'lockableStore'] });

  it('stores an object although the connection breaks once', async () => {
    const bytes = Buffer.alloc(partSizeBytes, 'lifeboat');
    proxy.resetAfterSending(partSizeBytes / 2);
    await host.store.put('broken', streamOf(bytes));
    const read = Buffer.concat(await Array.fromAsync(await host.store.get('broken')));
    expect(read.equals(bytes)).toBe(true);
  });

  it('tells that a read broke, and gives no object that ends early', async () => {
    await host.store.put('long', Buffer.alloc(8 * partSizeBytes));
    proxy.resetAfterReceiving(partSizeBytes);
    const read = Array.fromAsync(await host.store.get('long'));
    await expect(read).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
  });

  it.each([503, 429])('asks again when the server answers %d', async (status) => {
    await host.store.put('busy', Buffer.from('busy'));
    proxy.answer({ status, headers: { 'retry-after': '0' } }, 2);
    await expect(host.store.stat('busy')).resolves.toMatchObject({ sizeBytes: 4 });
  });
});
