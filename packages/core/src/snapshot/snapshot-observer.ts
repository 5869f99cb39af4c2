import { isLifeboatError, LifeboatError } from '../errors.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { followSnapshotObjects } from './follow-snapshot-objects.ts';
import { type SnapshotObjectKind, TrackedSnapshot } from './tracked-snapshot.ts';

/**
 * Watches the snapshot objects of one run, with one watch per kind however many snapshots there are. What no one tracks is
 * not remembered.
 */
export class SnapshotObserver implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #tracked = new Map<string, TrackedSnapshot>();
  readonly #stop = new AbortController();
  readonly #standing = Promise.withResolvers<void>();
  readonly #synced = new Set<SnapshotObjectKind>();
  #watches: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * Starts both watches and resolves once they stand. They outlive the signal, which only ends the opening: what a run has
   * begun is cleaned up after its abort. End them with dispose.
   *
   * @throws {LifeboatError} code Unsupported when the cluster does not serve the VolumeSnapshot API; else the error of the
   * watch.
   */
  static async open(
    { cluster, runId }: { readonly cluster: Cluster; readonly runId: string },
    { signal }: CallOptions = {},
  ): Promise<SnapshotObserver> {
    signal?.throwIfAborted();
    const observer = new SnapshotObserver(cluster);
    const onAbort = (): void => observer.#standing.resolve();
    signal?.addEventListener('abort', onAbort, { once: true });
    observer.#start(runId);
    await observer.#standing.promise;
    signal?.removeEventListener('abort', onAbort);
    if (signal?.aborted || observer.#failure !== undefined) {
      await observer[Symbol.asyncDispose]();
      signal?.throwIfAborted();
      throw observer.#failure?.error;
    }
    return observer;
  }

  /** Begins to remember a snapshot, or gives what is remembered of it already. */
  track(namespace: string, name: string): TrackedSnapshot {
    const key = `${namespace}/${name}`;
    const tracked = this.#tracked.get(key) ?? new TrackedSnapshot();
    this.#tracked.set(key, tracked);
    if (this.#failure !== undefined) {
      tracked.fail(this.#failure.error);
    }
    return tracked;
  }

  /** Forgets a snapshot. */
  forget(namespace: string, name: string): void {
    this.#tracked.delete(`${namespace}/${name}`);
  }

  /** Ends the watches; what still waits for a snapshot is rejected with Closed. Repeated calls do nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(
      new LifeboatError('snapshot: the session is closed', {
        code: 'Closed',
        operation: 'snapshot',
      }),
    );
    await this.#watches;
  }

  #start(runId: string): void {
    this.#watches = Promise.all([
      this.#follow('volumeSnapshot', `${LifeboatLabel.run}=${runId}`),
      // The snapshot-controller makes the contents, so they do not carry our label from the start.
      this.#follow('volumeSnapshotContent', undefined),
    ]);
  }

  async #follow(kind: SnapshotObjectKind, labelSelector: string | undefined): Promise<void> {
    try {
      await followSnapshotObjects({
        cluster: this.#cluster,
        kind,
        labelSelector,
        signal: this.#stop.signal,
        tracked: () => this.#tracked.values(),
        trackedBy: (object) => this.#trackedBy(kind, object),
        onSynced: () => this.#reportSynced(kind),
      });
    } catch (error) {
      this.#fail(explain(error, this.#cluster));
    }
  }

  #trackedBy(kind: SnapshotObjectKind, object: KubernetesObject): TrackedSnapshot | undefined {
    const { namespace, name } =
      kind === 'volumeSnapshot' ? object.metadata : volumeSnapshotRefOf(object);
    return this.#tracked.get(`${namespace ?? ''}/${name ?? ''}`);
  }

  #reportSynced(kind: SnapshotObjectKind): void {
    this.#synced.add(kind);
    if (this.#synced.size === 2) {
      this.#standing.resolve();
    }
  }

  // One watch without the other is of no use.
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort(this.#failure.error);
    for (const tracked of this.#tracked.values()) {
      tracked.fail(this.#failure.error);
    }
    this.#standing.resolve();
  }
}

function volumeSnapshotRefOf(content: KubernetesObject): {
  readonly namespace: string | undefined;
  readonly name: string | undefined;
} {
  return {
    namespace: stringAt(content, ['spec', 'volumeSnapshotRef', 'namespace']),
    name: stringAt(content, ['spec', 'volumeSnapshotRef', 'name']),
  };
}

function explain(error: unknown, cluster: Cluster): unknown {
  return isLifeboatError(error, 'NotFound')
    ? new LifeboatError(
        `snapshot: ${cluster.location} does not serve snapshot.storage.k8s.io/v1: install the CRDs and the snapshot-controller of external-snapshotter`,
        { code: 'Unsupported', operation: 'snapshot', cause: error },
      )
    : error;
}
