/** Bytes to store: a buffer, or a stream of buffers that is read once. */
export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array>;

/** Options of every call: the call stops and rejects with `signal.reason` when the signal aborts. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link ObjectStore.put}. */
export interface PutOptions extends CallOptions {
  /** @default 'application/octet-stream' */
  readonly contentType?: string | undefined;
  /** Create only: rejects with AlreadyExists when the key exists. @default false */
  readonly ifAbsent?: boolean | undefined;
  /**
   * How many bytes the body has, if that is known. One that turns out to have more or fewer is rejected with
   * PreconditionFailed, and nothing becomes visible.
   */
  readonly sizeBytes?: number | undefined;
}

/** Bytes from `start` to `end`, both inclusive and counted from zero; `end` defaults to the last byte. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number | undefined;
}

/** Options of {@link ObjectStore.get}. */
export interface GetOptions extends CallOptions {
  readonly range?: ByteRange | undefined;
}

/** Options of {@link ObjectStore.signUrl}. */
export interface SignUrlOptions extends CallOptions {
  /** How long the URL works, from now on. @default 900_000, 15 minutes */
  readonly expiresInMs?: number | undefined;
}

/** How an object is kept from being deleted and replaced. */
export interface ObjectLock {
  /**
   * Until when. `governance` can be lifted early by whoever has the right to that, `compliance` by nobody. Stores keep whole
   * seconds.
   */
  readonly retention?:
    | { readonly mode: 'governance' | 'compliance'; readonly until: Date }
    | undefined;
  /** Keeps it until it is lifted again. */
  readonly legalHold?: boolean | undefined;
}

/** What is known of a stored object. */
export interface ObjectStat {
  readonly key: string;
  readonly sizeBytes: number;
  /** When it was written, if the store tells. */
  readonly lastModified?: Date | undefined;
  /** Only from `stat`, and only if the store keeps it. */
  readonly contentType?: string | undefined;
}

/** An upload that was begun and is not completed: one under way, or parts that a killed process left, which no list of objects shows. */
export interface UnfinishedUpload {
  /** The object that it would become. */
  readonly key: string;
  /** What the store calls it. */
  readonly uploadId: string;
  readonly startedAt: Date;
}

/** Which optional guarantees a store gives. Each changes what the engine does. */
export interface ObjectStoreCapabilities {
  /** `put` with `ifAbsent` is atomic: of racing writers exactly one wins. Without it two writers of one backup name cannot be told apart. */
  readonly ifAbsent: boolean;
}

/**
 * A bucket and prefix to keep backups in. This comment is the contract; `objectStoreContract` of `@lifeboat/core/testing`
 * checks it.
 *
 * - Keys are relative, `/`-separated, up to 1,024 bytes of UTF-8, with no empty, `.` or `..` component; any other key is
 *   rejected with InvalidConfig before anything is sent. No key is also a "folder" of another key.
 * - Reads see the latest finished write, and a list sees every finished write and delete.
 * - Every method rejects with {@link ObjectStoreError}: NotFound, AlreadyExists, PermissionDenied, PreconditionFailed,
 *   Unavailable (retryable), RateLimited (retryable), Retained, InvalidConfig, Closed, Unknown. An aborted call rejects with
 *   `signal.reason` itself.
 * - Calls may run concurrently. Nothing is retried inside beyond what the provider's own client does.
 */
export interface ObjectStore extends AsyncDisposable {
  /** Where this is, for people and messages: `s3://backups/prod-eu/`. Never holds a secret. */
  readonly location: string;
  readonly capabilities: ObjectStoreCapabilities;

  /**
   * Stores an object whole or not at all, replacing what was there unless `ifAbsent` is set.
   *
   * - A body that throws rejects the call with that very error; nothing becomes visible, no upload is left dangling.
   * - Memory is bounded whatever the length of the stream.
   * - Aborted: the upload is stopped and undone, then the call rejects with `signal.reason`, and nothing of it is or becomes
   *   visible; what was there before is kept. The last request, the one that makes the object visible, may come to its end for
   *   some seconds, because nobody could tell what it did if it were cut off. An abort that comes too late for it changes
   *   nothing: the object is stored and the call resolves. Only when the store answers neither that request nor the question
   *   for the object does a rejection leave open whether the object is there.
   */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<void>;

  /**
   * Opens an object for reading. Rejects with NotFound before anything is yielded when it is missing.
   *
   * - A range that starts behind the end yields nothing; one that ends behind it yields what there is.
   * - Leaving the loop early, or an abort, closes the connection.
   */
  get(key: string, options?: GetOptions): Promise<AsyncIterable<Uint8Array>>;

  /** Describes an object; `undefined` when it is missing. */
  stat(key: string, options?: CallOptions): Promise<ObjectStat | undefined>;

  /**
   * Lists every object whose key starts with `prefix` (which is `''` or ends in `/`), in key order, each exactly once.
   * Nothing is requested before the first item is asked for, and nothing more once the loop is left.
   */
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectStat>;

  /**
   * Lists the distinct first path components below `prefix`, each with its trailing `/`: of `a/x/1`, `a/x/2` and `a/y`,
   * `listPrefixes('a/')` yields `a/x/`.
   */
  listPrefixes(prefix: string, options?: CallOptions): AsyncIterable<string>;

  /** Deletes an object; a missing one is success. Rejects with Retained when a lock of the store forbids it. */
  delete(key: string, options?: CallOptions): Promise<void>;

  /**
   * Makes a URL with which anyone can read the object until it expires; whether the object exists is not looked at. A store
   * without signed URLs lacks the method; one that cannot sign with its credentials rejects with InvalidConfig.
   */
  signUrl?(key: string, options?: SignUrlOptions): Promise<string>;

  /** Tells how an object is locked; `undefined` when it is missing. A store without locks lacks the method. */
  getLock?(key: string, options?: CallOptions): Promise<ObjectLock | undefined>;

  /**
   * Locks an object. What is not given stays as it is; a legal hold of `false` lifts it. Rejects with NotFound when the object
   * is missing, with Retained when a lock may not be weakened so, with InvalidConfig when the bucket has no locks. A store
   * without locks lacks the method.
   */
  putLock?(key: string, lock: ObjectLock, options?: CallOptions): Promise<void>;

  /**
   * Lists the uploads below `prefix` that are not completed, those under way too. A store that leaves none, or whose provider removes
   * them by itself, lacks the method or yields nothing. Rejects with PermissionDenied without the right to see them, with InvalidConfig when
   * the server does not know how to list them.
   */
  listUploads?(prefix: string, options?: CallOptions): AsyncIterable<UnfinishedUpload>;

  /**
   * Removes an upload that is not completed, with its parts; a missing one is success. The object that it would have become is left
   * as it is. A `put` under way whose upload is removed rejects, and stores nothing.
   */
  removeUpload?(upload: UnfinishedUpload, options?: CallOptions): Promise<void>;

  /** Frees what the store holds. Repeated calls do nothing; any other call after it rejects with Closed. */
  close(): Promise<void>;
}
