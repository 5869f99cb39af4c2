import { isLifeboatError, LifeboatError } from '../errors.ts';
import type { KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import { keepPlace, type Pause } from './pause.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Options of {@link DeletionObserver.untilGone}. */
export interface UntilGoneOptions {
  readonly signal: AbortSignal;
  /** Does the waiting, in which nothing is asked of the cluster. @default it is just done */
  readonly pause?: Pause | undefined;
}

interface AwaitedObject {
  readonly reference: ObjectReference;
  readonly uid: string | undefined;
  readonly gone: PromiseWithResolvers<void>;
}

/**
 * Tells when objects that are being deleted are gone. Objects of one resource and namespace share one watch, however many they are, which
 * stands only while one of them is waited for; what it tells of others is not remembered.
 */
export class DeletionObserver implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #watches = new Map<string, DeletionWatch>();
  readonly #ended = new Set<Promise<void>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * Resolves when an object is gone, or one of another uid has taken its name; at once if that is so already. Not bounded in time: give
   * it a deadline. Aborted: rejects with `signal.reason`. Rejects with the error of the watch when that is over.
   */
  async untilGone(
    reference: ObjectReference,
    uid: string | undefined,
    { signal, pause = keepPlace }: UntilGoneOptions,
  ): Promise<void> {
    const awaited: AwaitedObject = { reference, uid, gone: Promise.withResolvers() };
    // Nobody may be listening yet when the watch fails.
    awaited.gone.promise.catch(() => undefined);
    const watch = this.#watchOf(reference);
    // Before the object is read, since a watch that stands already may pass its end meanwhile.
    watch.add(awaited);
    try {
      const found = await this.#cluster.get(reference, { signal });
      if (found === undefined || isAnother(found, awaited)) {
        return;
      }
      watch.start(found.metadata.resourceVersion);
      await pause(() => unlessAborted(awaited.gone.promise, signal));
    } finally {
      watch.remove(awaited);
    }
  }

  /** Ends the watches; what still waits is rejected with Closed. Repeated calls do nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = observerError('Closed', 'the observer is closed');
    for (const watch of this.#watches.values()) {
      watch.end(closed);
    }
    await Promise.all(this.#ended);
  }

  #watchOf(reference: ObjectReference): DeletionWatch {
    const { group, version, resource, namespace } = reference;
    const key = JSON.stringify([group, version, resource, namespace]);
    const known = this.#watches.get(key);
    if (known !== undefined) {
      return known;
    }
    const watch = new DeletionWatch(this.#cluster, reference, () => {
      this.#watches.delete(key);
      this.#ended.add(watch.ended);
      void watch.ended.then(() => this.#ended.delete(watch.ended));
    });
    this.#watches.set(key, watch);
    return watch;
  }
}

/** The one watch for the objects of a resource in a namespace that are waited for. */
class DeletionWatch {
  readonly #cluster: Cluster;
  readonly #collection: ObjectReference;
  readonly #onEnd: () => void;
  readonly #awaited = new Map<string, Set<AwaitedObject>>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(cluster: Cluster, collection: ObjectReference, onEnd: () => void) {
    this.#cluster = cluster;
    this.#collection = collection;
    this.#onEnd = onEnd;
  }

  /** Resolves when nothing is asked of the cluster any more. */
  get ended(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  add(awaited: AwaitedObject): void {
    const { name } = awaited.reference;
    this.#awaited.set(name, this.#awaitedAs(name).add(awaited));
  }

  remove(awaited: AwaitedObject): void {
    const { name } = awaited.reference;
    const others = this.#awaitedAs(name);
    others.delete(awaited);
    if (others.size === 0) {
      this.#awaited.delete(name);
    }
    if (this.#awaited.size === 0) {
      this.end(observerError('Closed', 'nobody waits any more'));
    }
  }

  /** Watches, unless it does already, from a version in which an object that is waited for was still there. */
  start(resourceVersion: string | undefined): void {
    if (!this.#stop.signal.aborted) {
      this.#running ??= this.#run(resourceVersion);
    }
  }

  end(reason: unknown): void {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort(reason);
      this.#onEnd();
      for (const { gone } of this.#all()) {
        gone.reject(reason);
      }
    }
  }

  async #run(resourceVersion: string | undefined): Promise<void> {
    try {
      await this.#follow(resourceVersion);
    } catch (error) {
      // An object that does not go for long has a version that the server has forgotten.
      if (resourceVersion !== undefined && isLifeboatError(error, 'Gone')) {
        await this.#run(undefined);
      } else {
        this.end(error);
      }
    }
  }

  async #follow(resourceVersion: string | undefined): Promise<never> {
    const { namespace, ...resource } = this.#collection;
    const { signal } = this.#stop;
    let seen = resourceVersion === undefined ? new Set<string>() : undefined;
    for await (const event of this.#cluster.watch(resource, {
      ...{ namespace, resourceVersion, signal },
    })) {
      if (event.type === 'restarted') {
        seen = new Set();
      } else if (event.type === 'synced') {
        await this.#confirmUnseen(seen);
        seen = undefined;
      } else {
        seen?.add(event.object.metadata.name);
        this.#told(event.object, event.type === 'deleted');
      }
    }
    signal.throwIfAborted();
    throw observerError('Unavailable', `the watch of ${resource.resource} ended`);
  }

  #told(object: KubernetesObject, isDeleted: boolean): void {
    for (const awaited of this.#awaitedAs(object.metadata.name)) {
      if (isDeleted !== isAnother(object, awaited)) {
        awaited.gone.resolve();
      }
    }
  }

  // What a list does not have was deleted before it, or created after it was taken.
  async #confirmUnseen(seen: ReadonlySet<string> | undefined): Promise<void> {
    const { signal } = this.#stop;
    for (const awaited of seen === undefined ? [] : [...this.#all()]) {
      if (seen?.has(awaited.reference.name)) {
        continue;
      }
      const found = await this.#cluster.get(awaited.reference, { signal });
      if (found === undefined || isAnother(found, awaited)) {
        awaited.gone.resolve();
      }
    }
  }

  #awaitedAs(name: string): Set<AwaitedObject> {
    return this.#awaited.get(name) ?? new Set();
  }

  *#all(): Iterable<AwaitedObject> {
    for (const ofOneName of this.#awaited.values()) {
      yield* ofOneName;
    }
  }
}

function isAnother({ metadata }: KubernetesObject, { uid }: AwaitedObject): boolean {
  return uid !== undefined && metadata.uid !== uid;
}

function observerError(code: 'Closed' | 'Unavailable', reason: string): LifeboatError {
  const retryable = code === 'Unavailable';
  return new LifeboatError(`untilGone: ${reason}`, { code, operation: 'untilGone', retryable });
}
