import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type {
  ByteRange,
  DriverPutOptions,
  ListPage,
  ListPageOptions,
  ObjectLock,
  ObjectStat,
  ObjectStoreCapabilities,
  ObjectStoreDriver,
  StoreFailure,
} from '@lifeboat/core';
import { connectionCodeOf, failureOf, SigningError } from './errors.ts';
import { GcsClient, type GcsRequest } from './gcs-client.ts';
import { drain, type HttpResponse, textOf } from './http-request.ts';
import { lockOf, lockPatch } from './lock.ts';
import { defaultPartSizeBytes, type GcsEncryption, type GcsObjectStoreOptions } from './options.ts';
import { bodyOf } from './request-body.ts';
import { uploadBytes, uploadStream } from './upload.ts';
import type { UploadTarget } from './upload-target.ts';
import { verifiedBody } from './verified-body.ts';

interface ObjectResource {
  readonly name: string;
  readonly size: string;
  readonly updated?: string;
  readonly contentType?: string;
}

interface ObjectList {
  readonly items?: readonly ObjectResource[];
  readonly prefixes?: readonly string[];
  readonly nextPageToken?: string;
}

const pageSize = 1_000;

/** The requests of Cloud Storage's JSON API that an object store needs. */
export class GcsDriver implements ObjectStoreDriver {
  readonly location: string;
  readonly capabilities: ObjectStoreCapabilities = { ifAbsent: true };
  readonly prefix: string;
  readonly #client: GcsClient;
  readonly #bucket: string;
  readonly #bucketPath: string;
  readonly #partSizeBytes: number;
  readonly #kmsKeyName: string | undefined;
  readonly #userProject: string | undefined;
  readonly #publicEndpoint: string | undefined;
  readonly #keyHeaders: Readonly<Record<string, string>>;

  constructor(options: GcsObjectStoreOptions) {
    const { bucket, prefix = '', partSizeBytes = defaultPartSizeBytes } = options;
    this.location = `gs://${bucket}/${prefix}`;
    this.prefix = prefix;
    this.#client = new GcsClient(options.client);
    this.#bucket = bucket;
    this.#bucketPath = `/storage/v1/b/${encodeURIComponent(bucket)}/o`;
    this.#partSizeBytes = partSizeBytes;
    this.#kmsKeyName =
      options.encryption?.type === 'CMEK' ? options.encryption.kmsKeyName : undefined;
    this.#userProject = options.userProject;
    this.#publicEndpoint = options.publicEndpoint;
    this.#keyHeaders = keyHeadersOf(options.encryption);
  }

  async putBytes(key: string, bytes: Uint8Array, options: DriverPutOptions): Promise<void> {
    await uploadBytes(this.#uploadTarget(key), bytes, options);
  }

  async putStream(
    key: string,
    body: AsyncIterable<Uint8Array>,
    options: DriverPutOptions,
  ): Promise<void> {
    await uploadStream(this.#uploadTarget(key), body, this.#partSizeBytes, options);
  }

  async get(
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Readable | undefined> {
    const response = await this.#send({
      method: 'GET',
      url: this.#objectPath(key),
      query: { alt: 'media' },
      headers: {
        ...this.#keyHeaders,
        ...(range && { range: `bytes=${range.start}-${range.end ?? ''}` }),
      },
      accept: range === undefined ? [] : [416],
      signal,
    });
    if (response.status === 416) {
      await drain(response);
      return undefined;
    }
    return range === undefined ? verifiedBody(response) : response.body;
  }

  async stat(key: string, signal: AbortSignal | undefined): Promise<Omit<ObjectStat, 'key'>> {
    const fields = 'name,size,updated,contentType';
    const object = await this.#json<ObjectResource>({
      method: 'GET',
      url: this.#objectPath(key),
      query: { fields },
      headers: this.#keyHeaders,
      signal,
    });
    const { key: _, ...stat } = statOf(object);
    return { ...stat, contentType: object.contentType };
  }

  async listPage(
    prefix: string,
    { firstLevel, continuation, signal }: ListPageOptions,
  ): Promise<ListPage> {
    const list = await this.#json<ObjectList>({
      method: 'GET',
      url: this.#bucketPath,
      query: {
        prefix,
        delimiter: firstLevel ? '/' : undefined,
        maxResults: String(pageSize),
        pageToken: continuation,
        fields: 'items(name,size,updated),prefixes,nextPageToken',
      },
      signal,
    });
    return {
      objects: (list.items ?? []).map(statOf),
      prefixes: list.prefixes ?? [],
      continuation: list.nextPageToken,
    };
  }

  async delete(key: string, signal: AbortSignal | undefined): Promise<void> {
    await drain(await this.#send({ method: 'DELETE', url: this.#objectPath(key), signal }));
  }

  async signUrl(key: string, expiresInMs: number): Promise<string> {
    const file = this.#client.storage.bucket(this.#bucket).file(key);
    const expires = Date.now() + expiresInMs;
    try {
      const [url] = await file.getSignedUrl({
        version: 'v4',
        action: 'read',
        expires,
        ...(this.#publicEndpoint !== undefined && { host: this.#publicEndpoint }),
      });
      return url;
    } catch (error) {
      throw connectionCodeOf(error) === undefined ? new SigningError(error) : error;
    }
  }

  async getLock(key: string, signal: AbortSignal | undefined): Promise<ObjectLock> {
    const query = { fields: 'retention,temporaryHold' };
    return lockOf(await this.#json({ method: 'GET', url: this.#objectPath(key), query, signal }));
  }

  async putLock(key: string, lock: ObjectLock, signal: AbortSignal | undefined): Promise<void> {
    const response = await this.#send({
      method: 'PATCH',
      url: this.#objectPath(key),
      headers: { 'content-type': 'application/json' },
      body: bodyOf(JSON.stringify(lockPatch(lock))),
      signal,
    });
    await drain(response);
  }

  async close(): Promise<void> {
    // The client belongs to the application, and holds nothing that has to be freed.
  }

  failureOf(error: unknown): StoreFailure {
    return failureOf(error);
  }

  async #json<T>(request: GcsRequest): Promise<T> {
    return JSON.parse(await textOf(await this.#send(request))) as T;
  }

  #send(request: GcsRequest): Promise<HttpResponse> {
    return this.#client.send({
      ...request,
      query: { userProject: this.#userProject, ...request.query },
    });
  }

  #uploadTarget(name: string): UploadTarget {
    return {
      client: this.#client,
      url: `/upload${this.#bucketPath}`,
      objectUrl: this.#objectPath(name),
      name,
      query: { kmsKeyName: this.#kmsKeyName, userProject: this.#userProject },
      headers: this.#keyHeaders,
    };
  }

  #objectPath(key: string): string {
    return `${this.#bucketPath}/${encodeURIComponent(key)}`;
  }
}

function statOf({ name, size, updated }: ObjectResource): ObjectStat {
  return {
    key: name,
    sizeBytes: Number(size),
    lastModified: updated === undefined ? undefined : new Date(updated),
  };
}

/** The headers of https://cloud.google.com/storage/docs/encryption/customer-supplied-keys */
function keyHeadersOf(encryption: GcsEncryption | undefined): Readonly<Record<string, string>> {
  if (encryption?.type !== 'CSEK') {
    return {};
  }
  const key = Buffer.from(encryption.key);
  return {
    'x-goog-encryption-algorithm': 'AES256',
    'x-goog-encryption-key': key.toString('base64'),
    'x-goog-encryption-key-sha256': createHash('sha256').update(key).digest('base64'),
  };
}
