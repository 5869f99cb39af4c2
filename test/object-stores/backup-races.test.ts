import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { BlobServiceClient } from '@azure/storage-blob';
import { Storage } from '@google-cloud/storage';
import { createEngine, isLifeboatError, type ObjectStore, Resources } from '@lifeboat/core';
import { FakeCluster } from '@lifeboat/core/testing';
import { AzureObjectStore } from '@lifeboat/storage-azure';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { describe, expect, it } from 'vitest';
import { seededRandom, VeleroWriter } from '../../packages/core/src/engine/race-fixture.ts';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';
import { createS3Bucket } from './s3-bucket.ts';

const racesOfRuns = 30;
const racesWithVelero = 20;

const providers = [
  { kind: 's3', open: async (): Promise<ObjectStore> => (await createS3Bucket()).open() },
  { kind: 'gcs', open: openGcs },
  { kind: 'azure', open: openAzure },
] as const;

describe.each(providers)('runs that race for the name of a backup in $kind', ({ kind, open }) => {
  const isMissing = serverUnavailable(kind) !== undefined;

  it.skipIf(isMissing)('leave that of exactly one', { timeout: 300_000 }, async () => {
    await using store = await open();
    await using cluster = await clusterWithShop();
    for (let race = 1; race <= racesOfRuns; race += 1) {
      const name = `race-${race}`;
      const connections = [cluster.connect(), cluster.connect(), cluster.connect()];
      const outcomes = await Promise.all(
        connections.map((connection) => backUp(connection, store, name)),
      );
      const winners = outcomes.filter((outcome) => outcome !== undefined);
      expect(winners).toHaveLength(1);
      for (const [index, { requests }] of connections.entries()) {
        expect(requests.length > 0).toBe(outcomes[index] !== undefined);
      }
      const engine = createEngine({ cluster, store });
      expect((await engine.catalog.get(name))?.metadata.uid).toBe(winners[0]);
      expect(await engine.verify(name)).toMatchObject({ intact: true });
      expect(await Array.fromAsync(store.list(`backups/${name}/`))).toHaveLength(12);
    }
    expect(cluster.csi.storage.snapshots.size).toBe(racesOfRuns);
  });

  it.skipIf(isMissing)('give way to Velero', { timeout: 300_000 }, async () => {
    await using store = await open();
    await using cluster = await clusterWithShop();
    for (let seed = 1; seed <= racesWithVelero; seed += 1) {
      const random = seededRandom(seed);
      const name = `race-${seed}`;
      const velero = new VeleroWriter();
      // What takes a while here is the server.
      const hesitate = async (most: number): Promise<void> => {
        for (let calls = Math.floor((random() * most) / 10); calls > 0; calls -= 1) {
          await store.stat(`backups/${name}/nothing`);
        }
      };
      const [uid, veleroHasWon] = await Promise.all([
        backUp(cluster, store, name),
        velero.backUp(store, name, hesitate),
      ]);
      if (uid === undefined) {
        expect(veleroHasWon).toBe(true);
        expect(await contentsOf(store, name)).toEqual(velero.written);
      } else {
        const { intact } = await createEngine({ cluster, store }).verify(name);
        expect(intact).toBe(!veleroHasWon);
      }
    }
  });
});

/** The uid of the backup that was made; `undefined` when another writer has won. */
async function backUp(
  cluster: Parameters<typeof createEngine>[0]['cluster'],
  store: ObjectStore,
  name: string,
): Promise<string | undefined> {
  try {
    const { backup } = await createEngine({ cluster, store }).backup({
      name,
      spec: { includedNamespaces: ['shop'] },
    });
    return backup.metadata.uid;
  } catch (error) {
    if (isLifeboatError(error, 'AlreadyExists')) {
      return undefined;
    }
    throw error;
  }
}

async function contentsOf(store: ObjectStore, name: string): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  for await (const { key } of store.list(`backups/${name}/`)) {
    contents.set(key, await text(await store.get(key)));
  }
  return contents;
}

async function clusterWithShop(): Promise<FakeCluster> {
  const cluster = new FakeCluster();
  const metadata = { namespace: 'shop', name: 'data' };
  cluster.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata }]);
  await cluster.create(Resources.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: {
      storageClassName: 'fake-csi',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Mi' } },
    },
  });
  await cluster.settle();
  return cluster;
}

async function openGcs(): Promise<ObjectStore> {
  const client = new Storage({
    apiEndpoint: objectStoreServer('gcs').endpoint,
    projectId: 'test',
  });
  const bucket = `bucket-${randomUUID()}`;
  await client.createBucket(bucket);
  return new GcsObjectStore({ bucket, client });
}

async function openAzure(): Promise<ObjectStore> {
  const client = BlobServiceClient.fromConnectionString(
    objectStoreServer('azure').connectionString,
  );
  const container = `container-${randomUUID()}`;
  await client.getContainerClient(container).create();
  return new AzureObjectStore({ container, access: { client } });
}
