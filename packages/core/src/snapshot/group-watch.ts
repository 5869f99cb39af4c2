import { AbortScope } from '../internal/abort-scope.ts';
import type { GroupVersionResource } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { GroupSnapshotResources } from './group-resources.ts';

/**
 * Tells when there is something new to see of the group snapshots of a namespace. It watches the VolumeGroupSnapshots and the
 * VolumeSnapshots, to which the snapshot-controller copies what happens to their contents. Dispose it to end the watches.
 */
export class GroupWatch implements AsyncDisposable {
  readonly #scope: AbortScope;
  readonly #watches: Promise<unknown>;
  #news = Promise.withResolvers<void>();
  #failure: { readonly error: unknown } | undefined;

  constructor(
    cluster: Cluster,
    { groupSnapshots }: GroupSnapshotResources,
    namespace: string,
    { signal }: CallOptions,
  ) {
    this.#scope = new AbortScope(signal);
    this.#watches = Promise.all([
      this.#follow(cluster, groupSnapshots, namespace),
      this.#follow(cluster, Resources.volumeSnapshots, namespace),
    ]);
  }

  /** A promise that settles at the next report, counted from this call. Take it before looking, or a report is missed. */
  next(): Promise<void> {
    return this.#news.promise;
  }

  /**
   * Waits for a report, at the latest for a while: not every change is copied. Aborted: rejects with `signal.reason`.
   *
   * @throws the error of a watch when it is over.
   */
  async reportOrTime(report: Promise<void>, ms: number, clock: Clock): Promise<void> {
    const { signal } = this.#scope;
    using pause = new AbortScope(signal);
    try {
      await Promise.race([report, clock.sleep(ms, pause.signal)]);
    } finally {
      pause.abort(undefined);
    }
    signal.throwIfAborted();
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#scope.abort(undefined);
    this.#scope[Symbol.dispose]();
    await this.#watches;
  }

  async #follow(
    cluster: Cluster,
    resource: GroupVersionResource,
    namespace: string,
  ): Promise<void> {
    const { signal } = this.#scope;
    try {
      for await (const _event of cluster.watch(resource, { namespace, signal })) {
        this.#report();
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#failure ??= { error };
      }
    }
    this.#report();
  }

  #report(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}
