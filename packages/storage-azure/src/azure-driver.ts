import type { Readable } from 'node:stream';
import {
  AnonymousCredential,
  type BlobClient,
  BlobSASPermissions,
  type BlobServiceClient,
  type ContainerClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import {
  type ByteRange,
  type DriverPutOptions,
  type ListPage,
  type ListPageOptions,
  type ObjectLock,
  type ObjectStat,
  type ObjectStoreCapabilities,
  type ObjectStoreDriver,
  ObjectStoreError,
  type StoreFailure,
} from '@lifeboat/core';
import { failureOf, isBehindTheEnd } from './errors.ts';
import { immutabilityPolicyOf, lockOf } from './lock.ts';
import {
  type AzureObjectStoreOptions,
  defaultConcurrency,
  defaultPartSizeBytes,
  defaultSingleRequestBytes,
} from './options.ts';
import { serviceClientOf } from './service-client.ts';
import { type UploadSettings, type UploadTarget, uploadBytes, uploadInParts } from './upload.ts';

interface ListedBlob {
  readonly name: string;
  readonly properties: { readonly contentLength?: number; readonly lastModified: Date };
}

interface ListedSegment {
  readonly continuationToken?: string;
  readonly segment: {
    readonly blobItems: readonly ListedBlob[];
    readonly blobPrefixes?: readonly { readonly name: string }[];
  };
}

const pageSize = 1_000;

/** The requests of Blob Storage that an object store needs. */
export class AzureDriver implements ObjectStoreDriver {
  readonly location: string;
  readonly capabilities: ObjectStoreCapabilities = { ifAbsent: true };
  readonly prefix: string;
  readonly #service: BlobServiceClient;
  readonly #container: ContainerClient;
  readonly #upload: UploadSettings;

  constructor({ container, access, prefix = '', ...options }: AzureObjectStoreOptions) {
    const {
      partSizeBytes = defaultPartSizeBytes,
      singleRequestBytes = defaultSingleRequestBytes,
      concurrency = defaultConcurrency,
      encryptionScope,
    } = options;
    this.#service = serviceClientOf(access);
    this.#container = this.#service.getContainerClient(container);
    this.#upload = { partSizeBytes, singleRequestBytes, concurrency, encryptionScope };
    this.location = `azure://${this.#service.accountName}/${container}/${prefix}`;
    this.prefix = prefix;
  }

  async putBytes(key: string, bytes: Uint8Array, options: DriverPutOptions): Promise<void> {
    await uploadBytes(this.#targetOf(key), bytes, options);
  }

  async putStream(
    key: string,
    body: AsyncIterable<Uint8Array>,
    options: DriverPutOptions,
  ): Promise<void> {
    await uploadInParts(this.#targetOf(key), body, options);
  }

  async get(
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Readable | undefined> {
    const { start = 0, end } = range ?? {};
    const count = end === undefined ? undefined : end - start + 1;
    try {
      const response = await this.#container
        .getBlobClient(key)
        .download(start, count, abortedBy(signal));
      // Node.js has the stream, browsers have a blob instead.
      return response.readableStreamBody as Readable;
    } catch (error) {
      if (range !== undefined && isBehindTheEnd(error)) {
        return undefined;
      }
      throw error;
    }
  }

  async stat(key: string, signal: AbortSignal | undefined): Promise<Omit<ObjectStat, 'key'>> {
    const blob = this.#container.getBlobClient(key);
    const {
      contentLength = 0,
      lastModified,
      contentType,
    } = await blob.getProperties(abortedBy(signal));
    return { sizeBytes: contentLength, lastModified, contentType };
  }

  async listPage(
    prefix: string,
    { firstLevel, continuation, signal }: ListPageOptions,
  ): Promise<ListPage> {
    const options = { prefix, ...abortedBy(signal) };
    const list = firstLevel
      ? this.#container.listBlobsByHierarchy('/', options)
      : this.#container.listBlobsFlat(options);
    const pages: AsyncIterator<ListedSegment> = list.byPage({
      maxPageSize: pageSize,
      ...(continuation !== undefined && { continuationToken: continuation }),
    });
    const page = await pages.next();
    if (page.done === true) {
      return { objects: [], prefixes: [] };
    }
    const { segment, continuationToken = '' } = page.value;
    return {
      objects: segment.blobItems.map(statOf).sort((left, right) => byteOrder(left.key, right.key)),
      prefixes: (segment.blobPrefixes ?? []).map(({ name }) => name).sort(byteOrder),
      continuation: continuationToken === '' ? undefined : continuationToken,
    };
  }

  async delete(key: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#container.getBlobClient(key).delete(abortedBy(signal));
  }

  async signUrl(
    key: string,
    expiresInMs: number,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const blob = this.#container.getBlobClient(key);
    const now = Date.now();
    const expiresOn = new Date(now + expiresInMs);
    const grant = { permissions: BlobSASPermissions.parse('r'), expiresOn };
    if (blob.credential instanceof StorageSharedKeyCredential) {
      return blob.generateSasUrl(grant);
    }
    assertCanSign(blob, this.location);
    const delegationKey = await this.#service.getUserDelegationKey(
      new Date(now),
      expiresOn,
      abortedBy(signal),
    );
    return blob.generateUserDelegationSasUrl(grant, delegationKey);
  }

  async getLock(key: string, signal: AbortSignal | undefined): Promise<ObjectLock> {
    return lockOf(await this.#container.getBlobClient(key).getProperties(abortedBy(signal)));
  }

  async putLock(
    key: string,
    { retention, legalHold }: ObjectLock,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const blob = this.#container.getBlobClient(key);
    if (retention !== undefined) {
      await blob.setImmutabilityPolicy(immutabilityPolicyOf(retention), abortedBy(signal));
    }
    if (legalHold !== undefined) {
      await blob.setLegalHold(legalHold, abortedBy(signal));
    }
  }

  async close(): Promise<void> {
    // The client holds nothing that has to be freed.
  }

  failureOf(error: unknown): StoreFailure {
    return failureOf(error);
  }

  #targetOf(key: string): UploadTarget {
    return {
      ...this.#upload,
      blob: this.#container.getBlockBlobClient(key),
      objectSeenWith: (signal) => ({
        stat: () => this.stat(key, signal),
        get: () => this.get(key, undefined, signal),
      }),
    };
  }
}

// The service does not say how it orders characters that UTF-16 needs two units for; the port does.
function byteOrder(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

// The client takes no `undefined` for a signal.
function abortedBy(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function statOf({ name, properties }: ListedBlob): ObjectStat {
  return {
    key: name,
    sizeBytes: properties.contentLength ?? 0,
    lastModified: properties.lastModified,
  };
}

function assertCanSign(blob: BlobClient, location: string): void {
  if (blob.credential instanceof AnonymousCredential) {
    throw new ObjectStoreError(
      `ObjectStore.signUrl: ${location}: a shared access signature cannot sign URLs; give the account key or a token credential`,
      { code: 'InvalidConfig', operation: 'ObjectStore.signUrl', target: blob.name },
    );
  }
}
