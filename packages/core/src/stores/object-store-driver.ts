import type { Readable } from 'node:stream';
import type { LifeboatErrorCode } from '../errors.ts';
import type {
  ByteRange,
  ObjectLock,
  ObjectStat,
  ObjectStoreCapabilities,
  UnfinishedUpload,
} from '../ports/object-store.ts';

/** What a provider's failure means in the terms of the ObjectStore port. */
export interface StoreFailure {
  readonly code: LifeboatErrorCode;
  /** Why, and what to do about it, for people: `the bucket does not exist; create it or correct its name`. No secret. */
  readonly reason: string;
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** How an object is to be written. */
export interface DriverPutOptions {
  readonly contentType: string;
  /** Fail with a failure that means PreconditionFailed when the key exists. */
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal | undefined;
}

/** One page of a list. */
export interface ListPage {
  readonly objects: readonly ObjectStat[];
  /** First path components below the prefix, each whole and with its trailing `/`; empty unless they were asked for. */
  readonly prefixes: readonly string[];
  /** What to ask the next page with; `undefined` on the last one. */
  readonly continuation?: string | undefined;
}

/** Which page of a list. */
export interface ListPageOptions {
  /** Only what is directly below the prefix, the rest as prefixes. */
  readonly firstLevel: boolean;
  readonly continuation: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One page of a list of uploads. */
export interface UploadPage {
  readonly uploads: readonly UnfinishedUpload[];
  /** What to ask the next page with; `undefined` on the last one. */
  readonly continuation?: string | undefined;
}

/** The requests about uploads that are not completed. Keys are those of the provider. */
export interface UploadsDriver {
  listPage(prefix: string, options: Omit<ListPageOptions, 'firstLevel'>): Promise<UploadPage>;
  /** A missing upload is success, or a failure that means NotFound. */
  remove(upload: UnfinishedUpload, signal: AbortSignal | undefined): Promise<void>;
}

/**
 * What an adapter has to do for {@link DrivenObjectStore}: the requests, and nothing else. Keys are those of the provider, the
 * store's prefix included. Each method throws what the provider's client throws; {@link ObjectStoreDriver.failureOf} says what
 * that means. A missing object is a failure that means NotFound.
 */
export interface ObjectStoreDriver {
  /** See `ObjectStore.location`. */
  readonly location: string;
  readonly capabilities: ObjectStoreCapabilities;
  /** Before every key: `''` or a text that ends in `/`. */
  readonly prefix: string;

  putBytes(key: string, bytes: Uint8Array, options: DriverPutOptions): Promise<void>;
  /** Reads the stream once, in bounded memory. When it fails or the signal aborts, nothing may stay behind. */
  putStream(key: string, body: AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<void>;
  /** Resolves once the object is known to exist; `undefined` when the range starts behind its end. */
  get(
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Readable | undefined>;
  stat(key: string, signal: AbortSignal | undefined): Promise<Omit<ObjectStat, 'key'>>;
  listPage(prefix: string, options: ListPageOptions): Promise<ListPage>;
  delete(key: string, signal: AbortSignal | undefined): Promise<void>;
  signUrl(key: string, expiresInMs: number, signal: AbortSignal | undefined): Promise<string>;
  getLock(key: string, signal: AbortSignal | undefined): Promise<ObjectLock>;
  putLock(key: string, lock: ObjectLock, signal: AbortSignal | undefined): Promise<void>;
  /** Absent where killed processes leave no uploads, or the provider removes them by itself. */
  readonly uploads?: UploadsDriver | undefined;
  /** Frees what the driver holds; called once. */
  close(): Promise<void>;

  failureOf(error: unknown): StoreFailure;
}
