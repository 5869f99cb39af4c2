import { randomUUID } from 'node:crypto';
import {
  BlobServiceClient,
  type StoragePipelineOptions,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { AzureObjectStore } from '@lifeboat/storage-azure';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closedEndpoint } from './closed-endpoint.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type ContractHost, keepsTheContract } from './keep-the-contract.ts';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';

const partSizeBytes = 64 * 1024;
const container = `container-${randomUUID()}`;
const impatient = { retryDelayInMs: 10, maxRetryDelayInMs: 20 };

function clientOf(
  endpoint: string,
  retryOptions: StoragePipelineOptions['retryOptions'] = impatient,
): BlobServiceClient {
  const { accountName, accountKey } = objectStoreServer('azure');
  const credential = new StorageSharedKeyCredential(accountName, accountKey);
  return new BlobServiceClient(`${endpoint}/${accountName}`, credential, { retryOptions });
}

function open(client: BlobServiceClient): AzureObjectStore {
  return new AzureObjectStore({ container, access: { client }, partSizeBytes });
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe.skipIf(serverUnavailable('azure') !== undefined)('AzureObjectStore', () => {
  let proxy: FaultProxy;
  let host: ContractHost;

  beforeAll(async () => {
    const { accountName, endpoint, port, connectionString } = objectStoreServer('azure');
    const service = BlobServiceClient.fromConnectionString(connectionString);
    await service.getContainerClient(container).create();
    proxy = await startFaultProxy(port);
    const accountKey = Buffer.from('wrong').toString('base64');
    host = {
      store: open(clientOf(proxy.endpoint)),
      open: () => open(clientOf(proxy.endpoint)),
      partSizeBytes,
      requestCount: () => proxy.requests,
      unauthorizedStore: new AzureObjectStore({
        container,
        access: { endpoint, accountName, accountKey },
      }),
      unreachableStore: open(clientOf(await closedEndpoint(), { ...impatient, maxTries: 1 })),
    };
  });
  beforeEach(() => {
    proxy.heal();
  });
  afterAll(async () => {
    await host.store.close();
    await proxy[Symbol.asyncDispose]();
  });

  // Blob Storage drops the blocks of a failed upload itself and has no request for it; azurite has no locks, so
  // azure-requests.test.ts looks at what is sent.
  keepsTheContract({ host: () => host, leaves: ['danglingUploads', 'lockableStore'] });

  it('stores an object although the connection breaks once', async () => {
    const bytes = Buffer.alloc(5 * partSizeBytes + 3, 'lifeboat');
    proxy.resetAfterSending(3 * partSizeBytes);
    await host.store.put('broken', streamOf(bytes));
    const read = Buffer.concat(await Array.fromAsync(await host.store.get('broken')));
    expect(read.equals(bytes)).toBe(true);
  });

  it('tells that a read broke, and gives no object that ends early', async () => {
    await host.store.put('long', Buffer.alloc(20 * partSizeBytes));
    proxy.resetAfterReceiving(partSizeBytes);
    const read = Array.fromAsync(await host.store.get('long'));
    await expect(read).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
  });

  it('knows that it has won a conditional put whose answer was lost', async () => {
    const key = `claim-${randomUUID()}`;
    const bytes = Buffer.from('run 4711');
    proxy.resetAfterReceiving(0);
    await host.store.put(key, bytes, { ifAbsent: true });
    const read = Buffer.concat(await Array.fromAsync(await host.store.get(key)));
    expect(read.equals(bytes)).toBe(true);
    const later = host.store.put(key, Buffer.from('run 4712'), { ifAbsent: true });
    await expect(later).rejects.toMatchObject({ code: 'AlreadyExists' });
  });

  it('tells that a read has stalled, and gives its connection up', async () => {
    const access = { client: clientOf(proxy.endpoint) };
    await using store = new AzureObjectStore({ container, access, stalledAfterMs: 300 });
    await store.put('stalled', Buffer.alloc(100 * partSizeBytes));
    proxy.stallAfterReceiving(10 * partSizeBytes);
    const read = Array.fromAsync(await store.get('stalled'));
    await expect(read).rejects.toMatchObject({
      code: 'Unavailable',
      retryable: true,
      message: expect.stringContaining('stalled') as string,
    });
    proxy.heal();
  });

  it('stores bytes whose answer comes after the abort, and says so', async () => {
    const { connectionString } = objectStoreServer('azure');
    const service = BlobServiceClient.fromConnectionString(connectionString);
    const key = `late-${randomUUID()}`;
    const blob = service.getContainerClient(container).getBlobClient(key);
    // Each connection lets one answer through, and is used again.
    proxy.stallAfterReceiving(0);
    await host.store.stat(key);
    const controller = new AbortController();
    const put = host.store.put(key, Buffer.from('late'), { signal: controller.signal });
    await expect.poll(() => blob.exists()).toBe(true);
    controller.abort(new Error('stop'));
    setTimeout(() => {
      proxy.heal();
    }, 100);
    await put;
    await expect(host.store.stat(key)).resolves.toMatchObject({ sizeBytes: 4 });
  });

  it.each([503, 429])('asks again, or tells, when the server answers %d', async (status) => {
    await host.store.put('busy', Buffer.from('busy'));
    proxy.answer({ status, headers: { 'retry-after': '0' } }, 2);
    const stat = host.store.stat('busy');
    await (status === 503
      ? expect(stat).resolves.toMatchObject({ sizeBytes: 4 })
      : expect(stat).rejects.toMatchObject({ code: 'RateLimited', retryAfterMs: 0 }));
    proxy.heal();
  });

  it('shows nobody the blocks of an upload that failed', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(3 * partSizeBytes);
      throw new Error('the source fails');
    }
    await expect(host.store.put('failed', body())).rejects.toThrow('the source fails');
    await expect(host.store.stat('failed')).resolves.toBeUndefined();
    const keys = await Array.fromAsync(host.store.list(''), ({ key }) => key);
    expect(keys).not.toContain('failed');
  });

  it('says that the container is missing', async () => {
    const access = { client: clientOf(proxy.endpoint) };
    await using store = new AzureObjectStore({ container: 'missing', access });
    await expect(store.stat('a')).rejects.toMatchObject({ code: 'InvalidConfig' });
    await expect(store.put('a', Buffer.from('a'))).rejects.toThrow(/the container does not exist/);
  });
});
