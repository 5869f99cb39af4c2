import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { S3ObjectStore } from './s3-object-store.ts';

const clientConfig = {
  region: 'eu-west-1',
  credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'hunter2' },
};

it('says where it is, and not how it gets there', async () => {
  await using store = new S3ObjectStore({ bucket: 'backups', prefix: 'prod-eu/', clientConfig });
  expect(store.location).toBe('s3://backups/prod-eu/');
  expect(store.capabilities).toEqual({ ifAbsent: true });
  expect(inspect(store, { depth: 10, showHidden: true })).not.toContain('hunter2');
  expect(JSON.stringify(store)).not.toContain('hunter2');
});

it('may be told that its server keeps no conditions', async () => {
  await using store = new S3ObjectStore({ bucket: 'b', clientConfig, conditionalWrites: false });
  expect(store.capabilities).toEqual({ ifAbsent: false });
});

it('names every option that cannot be used, before anything is sent', () => {
  const options = { bucket: '', prefix: '/a', partSizeBytes: 1, concurrency: 0, pageSize: 2_000 };
  expect(() => new S3ObjectStore({ ...options, clientConfig })).toThrow(
    expect.objectContaining({
      name: 'ObjectStoreError',
      code: 'InvalidConfig',
      message:
        'S3ObjectStore: bucket is empty; prefix does not end with "/"; prefix starts with "/"; ' +
        'partSizeBytes is not at least 5242880; concurrency is not at least 1; pageSize is not from 1 to 1,000',
    }),
  );
});

it('counts the prefix to the bytes of a key', async () => {
  await using store = new S3ObjectStore({
    bucket: 'b',
    prefix: `${'p'.repeat(99)}/`,
    clientConfig,
  });
  await expect(store.stat('k'.repeat(925))).rejects.toMatchObject({
    code: 'InvalidConfig',
    message: expect.stringContaining('longer than 1024 bytes together with the prefix') as string,
  });
});

it('signs a URL for the address that readers use', async () => {
  await using store = new S3ObjectStore({
    bucket: 'backups',
    clientConfig: { ...clientConfig, endpoint: 'http://minio.internal:9000', forcePathStyle: true },
    publicEndpoint: 'https://minio.example.com',
  });
  const url = new URL(await store.signUrl('a b/c', { expiresInMs: 90_500 }));
  expect(url.origin + url.pathname).toBe('https://minio.example.com/backups/a%20b/c');
  expect(url.searchParams.get('X-Amz-Expires')).toBe('91');
  expect(url.href).not.toContain('hunter2');
});

it('signs no URL for objects whose key S3 does not keep', async () => {
  await using store = new S3ObjectStore({
    bucket: 'backups',
    clientConfig,
    encryption: { type: 'SSE-C', key: new Uint8Array(32) },
  });
  await expect(store.signUrl('a')).rejects.toMatchObject({ code: 'InvalidConfig' });
});
