import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { Storage } from '@google-cloud/storage';
import type { BackupStorageLocationSpec } from '@lifeboat/core';
import { azureObjectStoreFromLocation } from '@lifeboat/storage-azure';
import { gcsObjectStoreFromLocation } from '@lifeboat/storage-gcs';
import { s3ObjectStoreFromLocation } from '@lifeboat/storage-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';
import { createS3Bucket } from './s3-bucket.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '../../examples/list-backups.ts');

/** A location as Velero has it, and what its Secret holds. */
interface Location {
  readonly spec: BackupStorageLocationSpec;
  readonly credentials?: string;
}

/** Makes a bucket with one backup in each, through the location itself. */
const makers = {
  async s3(): Promise<Location> {
    const { endpoint, region, accessKeyId, secretAccessKey } = objectStoreServer('s3');
    const { name: bucket } = await createS3Bucket();
    const spec = {
      provider: 'aws',
      objectStorage: { bucket, prefix: 'prod' },
      config: { region, s3ForcePathStyle: 'true', s3Url: endpoint },
    };
    const credentials = `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;
    await using store = s3ObjectStoreFromLocation(spec, { credentials });
    await store.put('backups/shop-1/velero-backup.json', Buffer.from('{}'));
    return { spec, credentials };
  },

  async gcs(): Promise<Location> {
    const { endpoint } = objectStoreServer('gcs');
    const bucket = `bucket-${randomUUID()}`;
    await new Storage({ apiEndpoint: endpoint, projectId: 'test' }).createBucket(bucket);
    const spec = {
      provider: 'velero.io/gcp',
      objectStorage: { bucket, prefix: 'prod' },
      config: { storeEndpoint: endpoint },
    };
    await using store = gcsObjectStoreFromLocation(spec);
    await store.put('backups/shop-1/velero-backup.json', Buffer.from('{}'));
    return { spec };
  },

  async azure(): Promise<Location> {
    const { endpoint, accountName, accountKey, connectionString } = objectStoreServer('azure');
    const bucket = `bucket-${randomUUID()}`;
    await BlobServiceClient.fromConnectionString(connectionString).createContainer(bucket);
    const spec = {
      provider: 'azure',
      objectStorage: { bucket, prefix: 'prod' },
      config: {
        storageAccount: accountName,
        storageAccountURI: endpoint,
        storageAccountKeyEnvVar: 'AZURE_STORAGE_ACCOUNT_ACCESS_KEY',
      },
    };
    const credentials = `AZURE_STORAGE_ACCOUNT_ACCESS_KEY=${accountKey}\n`;
    await using store = azureObjectStoreFromLocation(spec, { credential: credentials });
    await store.put('backups/shop-1/velero-backup.json', Buffer.from('{}'));
    return { spec, credentials };
  },
};

describe('examples/list-backups.ts', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-locations-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the example as a user does; rejects unless it exits with 0. */
  async function listBackups({ spec, credentials }: Location): Promise<string> {
    const file = join(folder, randomUUID());
    await writeFile(`${file}.json`, JSON.stringify({ kind: 'BackupStorageLocation', spec }));
    await writeFile(`${file}.txt`, credentials ?? '');
    const given = credentials === undefined ? [] : [`${file}.txt`];
    const { stdout } = await run(process.execPath, [
      '--conditions=lifeboat-source',
      ...[program, `${file}.json`, ...given],
    ]);
    return stdout;
  }

  for (const kind of ['s3', 'gcs', 'azure'] as const) {
    it.skipIf(serverUnavailable(kind) !== undefined)(
      `finds the backups of a location in ${kind}`,
      async () => {
        expect(await listBackups(await makers[kind]())).toBe('shop-1\n');
      },
    );
  }

  it('says which provider it does not know, and exits with 1', async () => {
    const spec = { provider: 'openstack', objectStorage: { bucket: 'b' } };
    await expect(listBackups({ spec })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no store here for the provider openstack') as string,
    });
  });
});
