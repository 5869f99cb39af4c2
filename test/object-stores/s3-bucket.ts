import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { type S3BucketOptions, S3ObjectStore } from '@lifeboat/storage-s3';
import { objectStoreServer } from './object-store-server.ts';

/** A bucket of its own on the S3 server of this run, seen through the plain client and as a store. */
export interface S3Bucket {
  readonly name: string;
  /** The plain client, for what the store does not show. */
  readonly client: S3Client;
  /** How a client reaches the server; requests are sent once, unless said otherwise. */
  readonly clientConfig: S3ClientConfig;
  /** Opens a store in the bucket, for the server or for what stands before it. */
  open(options?: Partial<S3BucketOptions>, clientConfig?: S3ClientConfig): S3ObjectStore;
  /** The size of an object, past the store; `undefined` when it is missing. */
  sizeOf(key: string): Promise<number | undefined>;
  /** Counts the uploads below a prefix that were begun and neither finished nor undone. */
  danglingUploads(prefix: string): Promise<number>;
}

/** Makes a bucket on the S3 server. */
export async function createS3Bucket({ withLock = false } = {}): Promise<S3Bucket> {
  const { endpoint, region, accessKeyId, secretAccessKey } = objectStoreServer('s3');
  const clientConfig: S3ClientConfig = {
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  };
  const client = new S3Client(clientConfig);
  const name = `bucket-${randomUUID()}`;
  await client.send(
    new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: withLock }),
  );
  return {
    name,
    client,
    clientConfig,
    open: (options = {}, config = {}) =>
      new S3ObjectStore({
        ...options,
        bucket: options.bucket ?? name,
        clientConfig: { ...clientConfig, ...config },
      }),
    async sizeOf(key) {
      const { Contents: found = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: name, Prefix: key }),
      );
      return found.find((object) => object.Key === key)?.Size;
    },
    async danglingUploads(prefix) {
      const { Uploads: uploads = [] } = await client.send(
        new ListMultipartUploadsCommand({ Bucket: name, Prefix: prefix }),
      );
      return uploads.length;
    },
  };
}
