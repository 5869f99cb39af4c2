import { LifeboatError } from '../errors.ts';
import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster, WatchOptions } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { followSnapshotObjects } from './follow-snapshot-objects.ts';
import { TrackedSnapshot } from './tracked-snapshot.ts';

/** Options of {@link ImportObserver}. */
export interface ImportObserverOptions {
  readonly cluster: Cluster;
  /** Whose VolumeSnapshots share one watch. @default each has its own */
  readonly restoreName?: string | undefined;
}

type Selector = Pick<WatchOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

/**
 * Watches the VolumeSnapshots that one restore imports, with one watch for all of them, from the first on. What no one tracks is not
 * remembered.
 */
export class ImportObserver implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #restoreLabel: string | undefined;
  readonly #tracked = new Map<string, TrackedSnapshot>();
  readonly #stop = new AbortController();
  readonly #watches = new Map<string, Promise<void>>();

  constructor({ cluster, restoreName }: ImportObserverOptions) {
    this.#cluster = cluster;
    this.#restoreLabel = restoreName === undefined ? undefined : labelValueOf(restoreName);
  }

  /**
   * Begins to remember a VolumeSnapshot that exists; what is remembered is `undefined` if it has gone. Every call needs one to
   * {@link forget}.
   */
  async track(
    volumeSnapshot: KubernetesObject,
    { signal }: CallOptions,
  ): Promise<Pick<TrackedSnapshot, 'volumeSnapshot' | 'changed'>> {
    const tracked = new TrackedSnapshot();
    this.#tracked.set(keyOf(volumeSnapshot), tracked);
    this.#follow(this.#selectorOf(volumeSnapshot));
    // The watch may have passed what has happened since the object was created.
    const reference = referenceTo(Resources.volumeSnapshots, volumeSnapshot);
    const found = await this.#cluster.get(reference, { signal });
    if (found === undefined) {
      tracked.remove('volumeSnapshot', volumeSnapshot);
    } else {
      tracked.seed('volumeSnapshot', found);
    }
    return tracked;
  }

  /** Remembers a VolumeSnapshot no longer. */
  forget(volumeSnapshot: KubernetesObject): void {
    this.#tracked.delete(keyOf(volumeSnapshot));
  }

  /** Ends the watches; what still waits for a snapshot is rejected with Closed. Repeated calls do nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(
      new LifeboatError('importSnapshot: the observer is closed', {
        code: 'Closed',
        operation: 'importSnapshot',
      }),
    );
    await Promise.all(this.#watches.values());
  }

  // A pair that stands already may be of a restore of another name.
  #selectorOf({ metadata }: KubernetesObject): Selector {
    const label = this.#restoreLabel;
    return label !== undefined && metadata.labels?.[VeleroLabel.restoreName] === label
      ? { labelSelector: `${VeleroLabel.restoreName}=${label}` }
      : { namespace: metadata.namespace, fieldSelector: `metadata.name=${metadata.name}` };
  }

  #follow(selector: Selector): void {
    const key = JSON.stringify(selector);
    if (!this.#watches.has(key)) {
      this.#watches.set(key, this.#watch(key, selector));
    }
  }

  async #watch(key: string, selector: Selector): Promise<void> {
    try {
      await followSnapshotObjects({
        ...selector,
        cluster: this.#cluster,
        kind: 'volumeSnapshot',
        signal: this.#stop.signal,
        tracked: () => this.#tracked.values(),
        trackedBy: (object) => this.#tracked.get(keyOf(object)),
      });
    } catch (error) {
      // The next that is tracked has it watched again.
      this.#watches.delete(key);
      for (const tracked of this.#tracked.values()) {
        tracked.fail(error);
      }
    }
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubernetesObject): string {
  return `${namespace}/${name}`;
}
