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
  /** Whose VolumeSnapshots share one watch in each namespace. @default each has its own */
  readonly restoreName?: string | undefined;
}

type Selector = Pick<WatchOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

interface FollowedSnapshot {
  readonly tracked: TrackedSnapshot;
  /** The key of the watch that tells of it. */
  readonly watch: string;
}

/**
 * Watches the VolumeSnapshots that one restore imports, with one watch for all of a namespace, from its first on: who may restore into
 * some namespaces may not read the others. What no one tracks is not remembered.
 */
export class ImportObserver implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #restoreLabel: string | undefined;
  readonly #followed = new Map<string, FollowedSnapshot>();
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
    const watch = this.#follow(this.#selectorOf(volumeSnapshot));
    this.#followed.set(keyOf(volumeSnapshot), { tracked, watch });
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
    this.#followed.delete(keyOf(volumeSnapshot));
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
    const { namespace, name, labels } = metadata;
    const label = this.#restoreLabel;
    return label !== undefined && labels?.[VeleroLabel.restoreName] === label
      ? { namespace, labelSelector: `${VeleroLabel.restoreName}=${label}` }
      : { namespace, fieldSelector: `metadata.name=${name}` };
  }

  #follow(selector: Selector): string {
    const key = JSON.stringify(selector);
    if (!this.#watches.has(key)) {
      this.#watches.set(key, this.#watch(key, selector));
    }
    return key;
  }

  *#trackedBy(key: string): Iterable<TrackedSnapshot> {
    for (const { tracked, watch } of this.#followed.values()) {
      if (watch === key) {
        yield tracked;
      }
    }
  }

  async #watch(key: string, selector: Selector): Promise<void> {
    try {
      await followSnapshotObjects({
        ...selector,
        cluster: this.#cluster,
        kind: 'volumeSnapshot',
        signal: this.#stop.signal,
        tracked: () => this.#trackedBy(key),
        trackedBy: (object) => this.#followed.get(keyOf(object))?.tracked,
      });
    } catch (error) {
      // The next that is tracked has it watched again.
      this.#watches.delete(key);
      for (const tracked of this.#trackedBy(key)) {
        tracked.fail(error);
      }
    }
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubernetesObject): string {
  return `${namespace}/${name}`;
}
