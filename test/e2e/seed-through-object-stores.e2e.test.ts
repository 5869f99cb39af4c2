import { randomUUID } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { Storage } from '@google-cloud/storage';
import { createEngine, type ObjectStore, Resources } from '@lifeboat/core';
import { AzureObjectStore } from '@lifeboat/storage-azure';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { describe, it } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import {
  type ObjectStoreServers,
  objectStoreServer,
  serverUnavailable,
} from '../object-stores/object-store-server.ts';
import { createS3Bucket } from '../object-stores/s3-bucket.ts';
import { BackupLab } from './backup-lab.ts';
import { SeedApplication } from './seed-application.ts';

/** Opens a store over the whole of a bucket that is new. */
const openers: Readonly<Record<keyof ObjectStoreServers, () => Promise<ObjectStore>>> = {
  async s3() {
    const bucket = await createS3Bucket();
    return bucket.open();
  },
  async gcs() {
    const { endpoint: apiEndpoint, projectId } = objectStoreServer('gcs');
    const client = new Storage({ apiEndpoint, projectId });
    const bucket = `bucket-${randomUUID()}`;
    await client.createBucket(bucket);
    return new GcsObjectStore({ bucket, client });
  },
  async azure() {
    const { connectionString } = objectStoreServer('azure');
    const container = `container-${randomUUID()}`;
    await BlobServiceClient.fromConnectionString(connectionString).createContainer(container);
    return new AzureObjectStore({ container, access: { connectionString } });
  },
};

describe.concurrent.each([
  { kind: 's3', name: 'S3' },
  { kind: 'gcs', name: 'Google Cloud Storage' },
  { kind: 'azure', name: 'Azure Blob Storage' },
] as const)('through $name', ({ kind }) => {
  it.skipIf(serverUnavailable(kind) !== undefined)(
    'the application comes back after its namespace was lost, and its deleted backup leaves only the report of the restore',
    async (context) => {
      const { expect, onTestFinished } = context;
      const kit = testCluster(context, { node: true });
      const lab = await BackupLab.open(kit, context);
      const connection = lab.connect();
      const store = await openers[kind]();
      onTestFinished(() => store.close());
      const engine = createEngine({ ...connection, store });
      onTestFinished(async () => void (await engine.deleteBackup('seed')));
      const namespace = await kit.createNamespace(`seed-${kind}`);
      const application = new SeedApplication({ connection, namespace });
      await application.deploy();
      const checksum = await application.write();
      const volumeHandle = await application.volumeHandle();

      const backup = await engine.backup({
        name: 'seed',
        spec: { includedNamespaces: [namespace] },
      });
      expect(backup).toMatchObject({ backup: { status: { phase: 'Completed' } }, issues: [] });
      expect(await lab.storageSnapshotsOf([volumeHandle])).toHaveLength(1);

      const { cluster } = connection;
      await cluster.delete({ ...Resources.namespaces, name: namespace });
      await waitFor(
        async () => !(await cluster.get({ ...Resources.namespaces, name: namespace })),
        { what: `namespace ${namespace} to be gone` },
      );
      const restored = await engine.restore({ spec: { backupName: 'seed' } });
      expect(restored).toMatchObject({ restore: { status: { phase: 'Completed' } }, issues: [] });
      await application.untilRunning();
      expect(await application.checksum()).toBe(checksum);

      await engine.deleteBackup('seed');
      expect(await lab.storageSnapshotsOf([volumeHandle])).toEqual([]);
      const reports = `restores/${restored.restore.metadata.name}/`;
      const keys = await Array.fromAsync(store.list(''), ({ key }) => key);
      expect(keys.filter((key) => !key.startsWith(reports))).toEqual([]);
    },
  );
});
