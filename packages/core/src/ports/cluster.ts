import type { JsonArray, JsonObject } from '../model/json.ts';
import type {
  ClusterVersion,
  Discovery,
  GroupVersionResource,
  KubernetesManifest,
  KubernetesObject,
  ObjectReference,
} from '../model/kubernetes.ts';
import type { CallOptions } from './object-store.ts';

/** Options of the calls about a single object. */
export interface ObjectCallOptions extends CallOptions {
  /**
   * Called each time the server has refused the call for overload (429) and the client waits to send it again by itself: for a
   * caller that sends less then. It must not throw. A call that is given up rejects with RateLimited instead.
   */
  readonly onRateLimited?: (() => void) | undefined;
}

/** Options of {@link Cluster.list}. */
export interface ListOptions extends CallOptions {
  /** Only this namespace. Absent: every namespace, or the cluster-scoped objects. */
  readonly namespace?: string | undefined;
  /** As `kubectl -l` takes it: `app=shop,tier in (web,db)`. */
  readonly labelSelector?: string | undefined;
  /** As `kubectl --field-selector` takes it. */
  readonly fieldSelector?: string | undefined;
  /** Ask for PartialObjectMetadata: objects without spec and status, of that kind. @default false */
  readonly metadataOnly?: boolean | undefined;
  /** Objects per request. @default 500 */
  readonly pageSize?: number | undefined;
  /** Called at most once, when the list had to go on after its snapshot expired and so is not of one point in time. */
  readonly onInconsistent?: (() => void) | undefined;
}

/** Options of {@link Cluster.watch}. */
export interface WatchOptions extends CallOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Start right after this version instead of with the objects that exist. */
  readonly resourceVersion?: string | undefined;
}

/** One event of a watch. */
export type WatchEvent =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: KubernetesObject }
  /** Everything that existed at the start (or after a restart) has been reported as `added`. */
  | { readonly type: 'synced' }
  /** The server forgot where the watch stood: drop what is known; every object that exists follows as `added`, then `synced`. */
  | { readonly type: 'restarted' };

/** Options of the writing calls. */
export interface WriteOptions extends ObjectCallOptions {
  /** Validate and admit, but store nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Name that field ownership is recorded under. */
  readonly fieldManager?: string | undefined;
}

/** A change to an object. A `metadata.resourceVersion` in a merge or apply patch makes it conditional: Conflict when it is stale. */
export type ClusterPatch =
  /** RFC 6902. */
  | { readonly type: 'json'; readonly operations: JsonArray }
  /** RFC 7396. */
  | { readonly type: 'merge'; readonly patch: JsonObject }
  /** Server-side apply of a whole manifest; needs `fieldManager`. Creates the object when it is missing. */
  | {
      readonly type: 'apply';
      readonly manifest: KubernetesManifest;
      readonly force?: boolean | undefined;
    };

/** Options of {@link Cluster.patch}. */
export interface PatchOptions extends WriteOptions {
  /** Patch a subresource, such as `status`, instead of the object itself. */
  readonly subresource?: string | undefined;
}

/** Options of {@link Cluster.delete}. */
export interface DeleteOptions extends ObjectCallOptions {
  /** @default 'Background' */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  /** Delete only this very object: Conflict when another one has taken its name. */
  readonly uid?: string | undefined;
  /** Delete only this version: Conflict when the object has changed. */
  readonly resourceVersion?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  /** @default false */
  readonly dryRun?: boolean | undefined;
}

/**
 * A Kubernetes API server. This comment is the contract; `clusterContract` of `@lifeboat/core/testing` checks it against
 * the real server and against `FakeCluster`.
 *
 * - Objects are raw JSON: nothing is dropped, renamed or reformatted, and numbers keep their digits.
 * - Every method rejects with {@link ClusterError}: NotFound (404), AlreadyExists and Conflict (409), Unauthorized (401),
 *   Forbidden (403), Invalid (422 and 400, with the refused fields), Gone (410), Timeout (408, 504), RateLimited (429),
 *   Unavailable (5xx, or no connection; retryable), Closed, Unknown. An aborted call rejects with `signal.reason` itself.
 * - A 429 or 503 with Retry-After is waited for and tried again, a few times. So are a broken connection and a 5xx of what comes
 *   to the same when it is repeated: a read, a delete with `uid`, a merge or apply patch without a `resourceVersion`. Any other
 *   write that may have reached the server is not repeated, nor is a request whose refusals by 5xx have taken half a minute.
 * - Calls may run concurrently; connections are pooled and bounded.
 */
export interface Cluster extends AsyncDisposable {
  /** Which server this is, for people and messages. Never holds a secret. */
  readonly location: string;

  /** The server's version. */
  version(options?: CallOptions): Promise<ClusterVersion>;

  /** What the server serves. A group whose API server is down is reported in `failures`, it does not fail the call. */
  discover(options?: CallOptions): Promise<Discovery>;

  /** Reads an object; `undefined` when it, its namespace or its resource is missing. */
  get(
    reference: ObjectReference,
    options?: ObjectCallOptions,
  ): Promise<KubernetesObject | undefined>;

  /**
   * Lists objects in the byte order of their keys (`<namespace>/<name>`, so `shop-eu/a` comes before `shop/a`), paging inside;
   * apiVersion and kind are filled in.
   *
   * - Each object is yielded once, and nothing is remembered: memory is bounded by two pages, for the next may be read ahead.
   * - A snapshot that expires between pages (410) is gone on from, and `onInconsistent` called.
   * - A resource that is not served rejects with NotFound.
   */
  list(resource: GroupVersionResource, options?: ListOptions): AsyncIterable<KubernetesObject>;

  /**
   * Watches objects: first those that exist, as `added`, then `synced`, then every change, until the loop is left or the
   * signal aborts. With `resourceVersion` it starts with the changes after it, and rejects with Gone when that is too old.
   * A connection that breaks is resumed where it stood; when the server has forgotten that point, `restarted` is yielded.
   */
  watch(resource: GroupVersionResource, options?: WatchOptions): AsyncIterable<WatchEvent>;

  /**
   * Creates an object in the namespace its metadata names; rejects with AlreadyExists when the name is taken, and with
   * NotFound when the namespace is missing. With `generateName` the server appends five random characters.
   */
  create(
    resource: GroupVersionResource,
    manifest: KubernetesManifest,
    options?: WriteOptions,
  ): Promise<KubernetesObject>;

  /** Changes an object and returns it as stored; rejects with NotFound when it is missing. */
  patch(
    reference: ObjectReference,
    patch: ClusterPatch,
    options?: PatchOptions,
  ): Promise<KubernetesObject>;

  /** Asks for an object's deletion; a missing one is success. Returns before finalizers have run. */
  delete(reference: ObjectReference, options?: DeleteOptions): Promise<void>;

  /** Closes the connections. Repeated calls do nothing; any other call after it rejects with Closed. */
  close(): Promise<void>;
}
