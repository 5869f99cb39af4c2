import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { BlobServiceClient } from '@azure/storage-blob';
import { Storage } from '@google-cloud/storage';
import type { ObjectStore } from '@lifeboat/core';
import { AzureObjectStore } from '@lifeboat/storage-azure';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import { S3ObjectStore } from '@lifeboat/storage-s3';
import type { AzureServer, GcsServer, S3Server } from '../test/object-stores/servers.ts';
import { s3ClientOf, sendInParts } from './s3-client.ts';
import type { Contender } from './workload.ts';

/** A server, and what it speaks. */
export type BenchServer =
  | { readonly kind: 's3'; readonly server: S3Server }
  | { readonly kind: 'gcs'; readonly server: GcsServer }
  | { readonly kind: 'azure'; readonly server: AzureServer };

/** Both over one client, so that connections, credentials and checksums are the same. */
export interface Contenders {
  readonly sdk: Contender;
  readonly adapter: Contender;
}

const bucket = 'bench';

/** Makes a bucket on the server and both contenders in it. */
export function createContenders(target: BenchServer): Promise<Contenders> {
  switch (target.kind) {
    case 's3':
      return s3Contenders(target.server);
    case 'gcs':
      return gcsContenders(target.server);
    case 'azure':
      return azureContenders(target.server);
  }
}

async function s3Contenders(server: S3Server): Promise<Contenders> {
  const client = s3ClientOf(server);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const sdk: Contender = {
    async putBytes(key, bytes) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
    },
    putStream: (key, body) => sendInParts(client, bucket, key, body),
    async get(key) {
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return body as Readable;
    },
  };
  return { sdk, adapter: adapterOver(new S3ObjectStore({ bucket, client })) };
}

async function gcsContenders({ endpoint, projectId }: GcsServer): Promise<Contenders> {
  const client = new Storage({ apiEndpoint: endpoint, projectId });
  await client.createBucket(bucket);
  const files = client.bucket(bucket);
  const sdk: Contender = {
    async putBytes(key, bytes) {
      await files.file(key).save(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
        resumable: false,
      });
    },
    async putStream(key, body) {
      await pipeline(body, files.file(key).createWriteStream({ resumable: true }));
    },
    async get(key) {
      return files.file(key).createReadStream();
    },
  };
  return { sdk, adapter: adapterOver(new GcsObjectStore({ bucket, client })) };
}

async function azureContenders({ connectionString }: AzureServer): Promise<Contenders> {
  const client = BlobServiceClient.fromConnectionString(connectionString);
  const { containerClient } = await client.createContainer(bucket);
  const sdk: Contender = {
    async putBytes(key, bytes) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      await containerClient.getBlockBlobClient(key).uploadData(buffer);
    },
    async putStream(key, body) {
      await containerClient.getBlockBlobClient(key).uploadStream(Readable.from(body));
    },
    async get(key) {
      const { readableStreamBody } = await containerClient.getBlobClient(key).download();
      return readableStreamBody as Readable;
    },
  };
  const access = { client };
  return { sdk, adapter: adapterOver(new AzureObjectStore({ container: bucket, access })) };
}

function adapterOver(store: ObjectStore): Contender {
  return {
    putBytes: (key, bytes) => store.put(key, bytes),
    putStream: (key, body) => store.put(key, body),
    get: (key) => store.get(key),
  };
}
