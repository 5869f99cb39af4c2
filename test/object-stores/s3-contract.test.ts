import { Readable } from 'node:stream';
import { validateObjectStore } from '@lifeboat/core/testing';
import type { S3Encryption } from '@lifeboat/storage-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type ContractHost, keepsTheContract } from './keep-the-contract.ts';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';
import { createS3Bucket, type S3Bucket } from './s3-bucket.ts';

const partSizeBytes = 5 * 1024 * 1024;

describe.skipIf(serverUnavailable('s3') !== undefined)('S3ObjectStore', () => {
  let bucket: S3Bucket;
  let proxy: FaultProxy;
  let host: ContractHost;

  beforeAll(async () => {
    bucket = await createS3Bucket();
    proxy = await startFaultProxy(objectStoreServer('s3').port);
    const open = (): ReturnType<S3Bucket['open']> =>
      bucket.open({ partSizeBytes, pageSize: 100 }, { endpoint: proxy.endpoint });
    host = {
      store: open(),
      open,
      partSizeBytes,
      pageSize: 100,
      requestCount: () => proxy.requests,
      danglingUploads: (prefix) => bucket.danglingUploads(prefix),
      lockableStore: (await createS3Bucket({ withLock: true })).open(),
      unauthorizedStore: bucket.open(
        {},
        { credentials: { accessKeyId: 'test', secretAccessKey: 'wrong' } },
      ),
      // Port 9, which nothing listens on: it is the discard service's.
      unreachableStore: bucket.open({}, { endpoint: 'http://127.0.0.1:9' }),
    };
  });
  afterAll(async () => {
    await host.store.close();
    await proxy[Symbol.asyncDispose]();
  });

  keepsTheContract({ host: () => host, leaves: [] });

  // The server takes the fields and does not encrypt; s3-requests.test.ts looks at what is sent.
  it.each<S3Encryption>([
    { type: 'SSE-S3' },
    { type: 'SSE-KMS', keyId: 'alias/backups' },
    { type: 'SSE-C', key: new Uint8Array(32).fill(7) },
  ])('reads back what it has stored with $type', async (encryption) => {
    await using store = bucket.open({ encryption, partSizeBytes, prefix: `${encryption.type}/` });
    const bytes = Buffer.alloc(2 * partSizeBytes + 3, 'lifeboat');
    for (const body of [bytes, Readable.from([bytes])]) {
      await store.put('a', body);
      const read = Buffer.concat(await Array.fromAsync(await store.get('a')));
      expect(read.equals(bytes)).toBe(true);
      await expect(store.stat('a')).resolves.toMatchObject({ sizeBytes: bytes.byteLength });
    }
  });

  it('is found fit by validateObjectStore, with a prefix and without trace', async () => {
    await using store = bucket.open({ prefix: 'prod-eu/', pageSize: 20 });
    const { summary, findings } = await validateObjectStore(store, { pageSize: 20 });
    expect(summary).toBe(`s3://${bucket.name}/prod-eu/ is fit to keep backups.`);
    expect(findings.every(({ outcome }) => outcome === 'kept')).toBe(true);
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });

  it('without rights is found unfit by validateObjectStore', async () => {
    const { isFit, summary } = await validateObjectStore(host.unauthorizedStore ?? host.store);
    expect(isFit).toBe(false);
    expect(summary).toContain('Broken: an object may be written. Seen: ObjectStore.put: ');
    expect(summary).toContain(
      'check the access key and the secret key. So no backup can be kept here.',
    );
  });
});
