import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import {
  type ByteRange,
  type DriverPutOptions,
  finalRequest,
  holdsBytes,
  type ListPage,
  type ListPageOptions,
  type ObjectBody,
  type ObjectLock,
  type ObjectStat,
  type ObjectStoreCapabilities,
  type ObjectStoreDriver,
  type StoreFailure,
  type UploadsDriver,
} from '@lifeboat/core';
import { answerOf, failureOf, mayHaveWon, unusable } from './errors.ts';
import { getLock, putLock } from './lock.ts';
import {
  defaultConcurrency,
  defaultPageSize,
  defaultPartSizeBytes,
  defaultSingleRequestBytes,
  type S3ChecksumAlgorithm,
  type S3ObjectStoreOptions,
} from './options.ts';
import { abortOptions, type RequestFields, requestFieldsOf } from './request-fields.ts';
import { clientForSigning, createClient } from './s3-client.ts';
import { unfinishedUploads } from './unfinished-uploads.ts';
import { type UploadTarget, upload } from './upload.ts';

const notS3 =
  'the answer is not that of an S3 server: something else listens at the endpoint of the client';
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
const longestExpiryMs = 7 * 24 * 3_600_000;

/** The requests of S3 that an object store needs. */
export class S3Driver implements ObjectStoreDriver {
  readonly location: string;
  readonly capabilities: ObjectStoreCapabilities;
  readonly prefix: string;
  readonly uploads: UploadsDriver;
  readonly #options: S3ObjectStoreOptions;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #fields: RequestFields;
  #bucketIsKnown = false;

  constructor(options: S3ObjectStoreOptions) {
    const { bucket, prefix = '', conditionalWrites = true, encryption, tags } = options;
    const { pageSize = defaultPageSize } = options;
    this.location = `s3://${bucket}/${prefix}`;
    this.capabilities = { ifAbsent: conditionalWrites };
    this.prefix = prefix;
    this.#options = options;
    this.#bucket = bucket;
    this.#fields = requestFieldsOf(encryption, tags);
    this.#client = options.client ?? createClient(options.clientConfig);
    this.uploads = unfinishedUploads({ client: this.#client, bucket, pageSize });
  }

  async putBytes(key: string, bytes: Uint8Array, options: DriverPutOptions): Promise<void> {
    const { singleRequestBytes = defaultSingleRequestBytes } = this.#options;
    if (bytes.byteLength <= singleRequestBytes) {
      await this.#putWhole(key, bytes, await this.#checksumAlgorithm(), options);
    } else {
      await this.#upload(key, bytes, options);
    }
  }

  async putStream(
    key: string,
    body: AsyncIterable<Uint8Array>,
    options: DriverPutOptions,
  ): Promise<void> {
    await this.#upload(key, body, options);
  }

  async get(
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Readable | undefined> {
    const command = new GetObjectCommand({
      ...this.#object(key),
      ...this.#fields.customerKey,
      ...(range && { Range: `bytes=${range.start}-${range.end ?? ''}` }),
    });
    try {
      const { Body: body } = await this.#client.send(command, abortOptions(signal));
      return body as Readable | undefined;
    } catch (error) {
      if (range !== undefined && answerOf(error).httpStatusCode === 416) {
        return undefined;
      }
      throw error;
    }
  }

  async stat(key: string, signal: AbortSignal | undefined): Promise<Omit<ObjectStat, 'key'>> {
    try {
      const {
        ContentLength: sizeBytes = 0,
        LastModified: lastModified,
        ContentType: contentType,
      } = await this.#client.send(
        new HeadObjectCommand({ ...this.#object(key), ...this.#fields.customerKey }),
        abortOptions(signal),
      );
      this.#bucketIsKnown = true;
      return { sizeBytes, lastModified, contentType };
    } catch (error) {
      if (answerOf(error).httpStatusCode === 404) {
        await this.#assertBucketExists(signal);
      }
      throw error;
    }
  }

  async listPage(
    prefix: string,
    { firstLevel, continuation, signal }: ListPageOptions,
  ): Promise<ListPage> {
    const page = await this.#client.send(
      new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        MaxKeys: this.#options.pageSize ?? defaultPageSize,
        ContinuationToken: continuation,
        ...(firstLevel && { Delimiter: '/' }),
      }),
      abortOptions(signal),
    );
    if (page.Name === undefined && page.KeyCount === undefined) {
      throw unusable('ObjectStore.list', notS3, this.#bucket);
    }
    this.#bucketIsKnown = true;
    return {
      objects: (page.Contents ?? []).map(
        ({ Key: key = '', Size: sizeBytes = 0, LastModified: lastModified }) => ({
          key,
          sizeBytes,
          lastModified,
        }),
      ),
      prefixes: (page.CommonPrefixes ?? []).map(({ Prefix: found = '' }) => found),
      continuation: page.IsTruncated === true ? page.NextContinuationToken : undefined,
    };
  }

  async delete(key: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(key)), abortOptions(signal));
  }

  async signUrl(key: string, expiresInMs: number): Promise<string> {
    const { encryption, publicEndpoint } = this.#options;
    if (encryption?.type === 'SSE-C') {
      throw unusable(
        'ObjectStore.signUrl',
        `${key} is encrypted with a key that S3 does not keep: a URL alone cannot read it`,
        key,
      );
    }
    if (expiresInMs <= 0 || expiresInMs > longestExpiryMs) {
      const reason = `expiresInMs is ${expiresInMs}; a signed URL works for at most seven days`;
      throw unusable('ObjectStore.signUrl', reason, key);
    }
    const client =
      publicEndpoint === undefined ? this.#client : clientForSigning(this.#client, publicEndpoint);
    return getSignedUrl(client, new GetObjectCommand(this.#object(key)), {
      expiresIn: Math.ceil(expiresInMs / 1_000),
    });
  }

  async getLock(key: string, signal: AbortSignal | undefined): Promise<ObjectLock> {
    return getLock(this.#lockTarget(key, signal));
  }

  async putLock(key: string, lock: ObjectLock, signal: AbortSignal | undefined): Promise<void> {
    await putLock(this.#lockTarget(key, signal), lock);
  }

  async close(): Promise<void> {
    if (this.#options.client === undefined) {
      this.#client.destroy();
    }
  }

  failureOf(error: unknown): StoreFailure {
    return failureOf(error);
  }

  async #upload(key: string, body: ObjectBody, options: DriverPutOptions): Promise<void> {
    const { partSizeBytes = defaultPartSizeBytes, concurrency = defaultConcurrency } =
      this.#options;
    const checksumAlgorithm = await this.#checksumAlgorithm();
    const target: UploadTarget = {
      client: this.#client,
      bucket: this.#bucket,
      key,
      fields: this.#fields,
      checksumAlgorithm,
      partSizeBytes,
      concurrency,
      putWhole: (bytes) => this.#putWhole(key, bytes, checksumAlgorithm, options),
    };
    await upload(target, body, options);
  }

  /** Stores bytes in one request. */
  async #putWhole(
    key: string,
    bytes: Uint8Array,
    checksumAlgorithm: S3ChecksumAlgorithm | undefined,
    options: DriverPutOptions,
  ): Promise<void> {
    const send = (signal: AbortSignal): Promise<void> =>
      this.#sendWhole(key, bytes, checksumAlgorithm, { ...options, signal });
    const isStored = (signal: AbortSignal): Promise<boolean> => this.#holds(key, bytes, signal);
    await finalRequest(send, { signal: options.signal, isStored });
  }

  async #sendWhole(
    key: string,
    bytes: Uint8Array,
    checksumAlgorithm: S3ChecksumAlgorithm | undefined,
    { contentType, ifAbsent, signal }: DriverPutOptions,
  ): Promise<void> {
    const command = new PutObjectCommand({
      ...this.#object(key),
      Body: bytes,
      ContentLength: bytes.byteLength,
      ContentType: contentType,
      ChecksumAlgorithm: checksumAlgorithm,
      ...(ifAbsent && { IfNoneMatch: '*' }),
      ...this.#fields.write,
    });
    try {
      const { ETag: tag } = await this.#client.send(command, abortOptions(signal));
      if (tag === undefined) {
        throw unusable('ObjectStore.put', notS3, key);
      }
    } catch (error) {
      if (!(ifAbsent && mayHaveWon(error) && (await this.#holds(key, bytes, signal)))) {
        throw error;
      }
    }
  }

  #holds(key: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<boolean> {
    const stat = (): ReturnType<S3Driver['stat']> => this.stat(key, signal);
    return holdsBytes({ stat, get: () => this.get(key, undefined, signal) }, bytes);
  }

  /** Tells a missing object from a missing bucket, which an answer to HEAD does not: one to a list has a body. */
  async #assertBucketExists(signal: AbortSignal | undefined): Promise<void> {
    if (this.#bucketIsKnown) {
      return;
    }
    try {
      await this.listPage(this.prefix, { firstLevel: true, continuation: undefined, signal });
    } catch (error) {
      if (answerOf(error).httpStatusCode === 404) {
        throw error;
      }
      // Without the right to list nobody can tell.
    }
  }

  async #checksumAlgorithm(): Promise<S3ChecksumAlgorithm | undefined> {
    const { checksumAlgorithm } = this.#options;
    if (checksumAlgorithm !== undefined) {
      return checksumAlgorithm;
    }
    const calculation = await this.#client.config.requestChecksumCalculation();
    return calculation === 'WHEN_REQUIRED' ? undefined : 'CRC32';
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  #lockTarget(key: string, signal: AbortSignal | undefined): Parameters<typeof getLock>[0] {
    return { client: this.#client, bucket: this.#bucket, key, fields: this.#fields, signal };
  }
}
