import { afterAll, beforeAll, describe } from 'vitest';
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
});
