import { AbortScope } from '../internal/abort-scope.ts';
import type {
  ClusterVersion,
  Discovery,
  GroupVersionResource,
  KubernetesManifest,
  KubernetesObject,
  ObjectReference,
} from '../model/kubernetes.ts';
import type {
  Cluster,
  ClusterPatch,
  DeleteOptions,
  ListOptions,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../ports/cluster.ts';
import type {
  CallOptions,
  GetOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
} from '../ports/object-store.ts';

/** Where a process dies: at which of its writing calls, counted from zero, and on which side of it. */
export interface KillPointOptions {
  readonly at: number;
  readonly when: 'before' | 'after';
  /** Ends the process. One that returns leaves a process of which no call reaches anything any more. */
  readonly die: () => void;
}

/** A process that dies at one of the calls by which it writes to a cluster or a store. */
export class KillPoint {
  readonly #options: KillPointOptions;
  readonly #death = new AbortController();
  readonly #calls: string[] = [];

  constructor(options: KillPointOptions) {
    this.#options = options;
  }

  /** The writing calls so far, those for one that has not come to its end included. */
  get calls(): readonly string[] {
    return this.#calls;
  }

  /** Whether it has come to that. */
  get hasDied(): boolean {
    return this.#death.signal.aborted;
  }

  cluster(inner: Cluster): Cluster {
    return new MortalCluster(this, inner);
  }

  store(inner: ObjectStore): ObjectStore {
    return new MortalObjectStore(this, inner);
  }

  /** Carries out a call that writes, as long as the process lives. */
  async write<T>(
    description: string,
    signal: AbortSignal | undefined,
    call: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    this.#death.signal.throwIfAborted();
    const isLast = this.#calls.push(description) - 1 === this.#options.at;
    this.#dieIf(isLast && this.#options.when === 'before');
    const isLastAfterwards = isLast && this.#options.when === 'after';
    try {
      const result = await this.read(signal, call);
      this.#dieIf(isLastAfterwards);
      return result;
    } catch (error) {
      this.#dieIf(isLastAfterwards);
      throw error;
    }
  }

  /** Carries out a call that reads, as long as the process lives. */
  async read<T>(
    signal: AbortSignal | undefined,
    call: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    this.#death.signal.throwIfAborted();
    using scope = this.#scope(signal);
    const result = await call({ signal: scope.signal });
    this.#death.signal.throwIfAborted();
    return result;
  }

  /** Yields what a call yields, as long as the process lives. */
  async *stream<T>(
    signal: AbortSignal | undefined,
    call: (options: CallOptions) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    this.#death.signal.throwIfAborted();
    using scope = this.#scope(signal);
    for await (const item of call({ signal: scope.signal })) {
      yield item;
    }
    this.#death.signal.throwIfAborted();
  }

  #dieIf(isDue: boolean): void {
    if (isDue) {
      this.#options.die();
      this.#death.abort(new Error('the process has died'));
      this.#death.signal.throwIfAborted();
    }
  }

  #scope(signal: AbortSignal | undefined): AbortScope {
    return new MortalScope(signal, this.#death.signal);
  }
}

/** Aborts when the caller does, and when the process dies. */
class MortalScope extends AbortScope {
  readonly #death: AbortSignal;
  readonly #follow = (): void => {
    this.abort(this.#death.reason);
  };

  constructor(signal: AbortSignal | undefined, death: AbortSignal) {
    super(signal);
    this.#death = death;
    death.addEventListener('abort', this.#follow, { once: true });
  }

  override [Symbol.dispose](): void {
    this.#death.removeEventListener('abort', this.#follow);
    super[Symbol.dispose]();
  }
}

class MortalCluster implements Cluster {
  readonly #process: KillPoint;
  readonly #inner: Cluster;

  constructor(process: KillPoint, inner: Cluster) {
    this.#process = process;
    this.#inner = inner;
  }

  get location(): string {
    return this.#inner.location;
  }

  version({ signal }: CallOptions = {}): Promise<ClusterVersion> {
    return this.#process.read(signal, (options) => this.#inner.version(options));
  }

  discover({ signal }: CallOptions = {}): Promise<Discovery> {
    return this.#process.read(signal, (options) => this.#inner.discover(options));
  }

  get(
    reference: ObjectReference,
    { signal }: CallOptions = {},
  ): Promise<KubernetesObject | undefined> {
    return this.#process.read(signal, (options) => this.#inner.get(reference, options));
  }

  list(
    resource: GroupVersionResource,
    { signal, ...rest }: ListOptions = {},
  ): AsyncIterable<KubernetesObject> {
    return this.#process.stream(signal, (options) =>
      this.#inner.list(resource, { ...rest, ...options }),
    );
  }

  watch(
    resource: GroupVersionResource,
    { signal, ...rest }: WatchOptions = {},
  ): AsyncIterable<WatchEvent> {
    return this.#process.stream(signal, (options) =>
      this.#inner.watch(resource, { ...rest, ...options }),
    );
  }

  create(
    resource: GroupVersionResource,
    manifest: KubernetesManifest,
    { signal, ...rest }: WriteOptions = {},
  ): Promise<KubernetesObject> {
    return this.#process.write(`create ${resource.resource}`, signal, (options) =>
      this.#inner.create(resource, manifest, { ...rest, ...options }),
    );
  }

  patch(
    reference: ObjectReference,
    patch: ClusterPatch,
    { signal, ...rest }: PatchOptions = {},
  ): Promise<KubernetesObject> {
    return this.#process.write(`patch ${reference.resource}`, signal, (options) =>
      this.#inner.patch(reference, patch, { ...rest, ...options }),
    );
  }

  delete(reference: ObjectReference, { signal, ...rest }: DeleteOptions = {}): Promise<void> {
    return this.#process.write(`delete ${reference.resource}`, signal, (options) =>
      this.#inner.delete(reference, { ...rest, ...options }),
    );
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

class MortalObjectStore implements ObjectStore {
  readonly #process: KillPoint;
  readonly #inner: ObjectStore;

  constructor(process: KillPoint, inner: ObjectStore) {
    this.#process = process;
    this.#inner = inner;
  }

  get location(): string {
    return this.#inner.location;
  }

  get capabilities(): ObjectStoreCapabilities {
    return this.#inner.capabilities;
  }

  put(key: string, body: ObjectBody, { signal, ...rest }: PutOptions = {}): Promise<void> {
    return this.#process.write(`put ${key}`, signal, (options) =>
      this.#inner.put(key, body, { ...rest, ...options }),
    );
  }

  get(key: string, { signal, ...rest }: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#process.read(signal, (options) => this.#inner.get(key, { ...rest, ...options }));
  }

  stat(key: string, { signal }: CallOptions = {}): Promise<ObjectStat | undefined> {
    return this.#process.read(signal, (options) => this.#inner.stat(key, options));
  }

  list(prefix: string, { signal }: CallOptions = {}): AsyncIterable<ObjectStat> {
    return this.#process.stream(signal, (options) => this.#inner.list(prefix, options));
  }

  listPrefixes(prefix: string, { signal }: CallOptions = {}): AsyncIterable<string> {
    return this.#process.stream(signal, (options) => this.#inner.listPrefixes(prefix, options));
  }

  delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    return this.#process.write(`delete ${key}`, signal, (options) =>
      this.#inner.delete(key, options),
    );
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
