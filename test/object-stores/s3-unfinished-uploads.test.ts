import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { createEngine } from '@lifeboat/core';
import { FakeCluster } from '@lifeboat/core/testing';
import { S3ObjectStore } from '@lifeboat/storage-s3';
import { expect, it } from 'vitest';
import { startHttpResponder } from './http-responder.ts';
import { createS3Bucket, type S3Bucket } from './s3-bucket.ts';

/** Leaves an upload as a process does that is killed after its first part. */
async function leaveUpload({ client, name }: S3Bucket, key: string): Promise<void> {
  const object = { Bucket: name, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
  await client.send(
    new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: Buffer.from('part') }),
  );
}

it('lists uploads that were not completed, several of one key too, and removes each', async () => {
  const bucket = await createS3Bucket();
  await using store = bucket.open({ prefix: 'prod/' });
  const keys = ['backups/a/a.tar.gz', 'backups/a/a.tar.gz', 'backups/b/b c+%.gz', 'other/x'];
  for (const key of [...keys, ...keys.slice(0, 1)]) {
    await leaveUpload(bucket, `prod/${key}`);
  }
  await leaveUpload(bucket, 'elsewhere/backups/a/a.tar.gz');

  const found = await Array.fromAsync(store.listUploads('backups/'));
  expect(found.map(({ key }) => key)).toEqual([
    'backups/a/a.tar.gz',
    'backups/a/a.tar.gz',
    'backups/a/a.tar.gz',
    'backups/b/b c+%.gz',
  ]);
  expect(new Set(found.map(({ uploadId }) => uploadId)).size).toBe(4);
  for (const { startedAt } of found) {
    expect(Math.abs(Date.now() - startedAt.getTime())).toBeLessThan(3_600_000);
  }

  await Promise.all(found.map((upload) => store.removeUpload(upload)));
  // A missing one is success.
  await Promise.all(found.map((upload) => store.removeUpload(upload)));
  expect(await Array.fromAsync(store.listUploads(''), ({ key }) => key)).toEqual(['other/x']);
});

// versitygw 1.8.0 refuses the markers that it gives.
it('asks for the next page with both markers of the one before', async () => {
  const upload = (key: string, id: string): string =>
    `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2026-11-24T12:00:00Z</Initiated></Upload>`;
  const first = `<R><IsTruncated>true</IsTruncated><NextKeyMarker>a b</NextKeyMarker><NextUploadIdMarker>7+</NextUploadIdMarker>${upload('a b', '7+')}</R>`;
  const second = `<R><IsTruncated>false</IsTruncated>${upload('a b', '8')}</R>`;
  await using server = await startHttpResponder(({ url }) => ({
    status: 200,
    body: url.includes('marker') ? second : first,
  }));
  await using store = new S3ObjectStore({
    bucket: 'backups',
    pageSize: 1,
    clientConfig: {
      endpoint: server.endpoint,
      region: 'eu-west-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'hunter2' },
    },
  });
  const found = await Array.fromAsync(store.listUploads(''));
  expect(found.map(({ key, uploadId }) => [key, uploadId])).toEqual([
    ['a b', '7+'],
    ['a b', '8'],
  ]);
  const [, next] = server.requests.map(({ url }) => new URL(url, server.endpoint).searchParams);
  expect(next?.get('key-marker')).toBe('a b');
  expect(next?.get('upload-id-marker')).toBe('7+');
  expect(next?.get('max-uploads')).toBe('1');
});

it('an engine finds the upload of a killed backup in the bucket and removes it', async () => {
  const bucket = await createS3Bucket();
  await using store = bucket.open();
  await using cluster = new FakeCluster();
  const engine = createEngine({ cluster, store });
  await leaveUpload(bucket, 'backups/shop/shop.tar.gz');
  await store.put('backups/shop/lifeboat-claim.json', Buffer.from('{}'));

  expect(await engine.findLeftovers()).toEqual([]);
  const found = await engine.findLeftovers({ minimumAgeMs: 0 });
  expect(found.map(({ cause }) => cause)).toEqual(['BackupUnfinished', 'UploadInterrupted']);
  const outcomes = await engine.removeLeftovers(found);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['Removed', 'Removed']);
  expect(await bucket.danglingUploads('')).toBe(0);
  expect(await Array.fromAsync(store.list(''))).toEqual([]);
});
