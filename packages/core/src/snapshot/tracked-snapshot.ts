import type { KubernetesObject } from '../model/kubernetes.ts';
import type { CallOptions } from '../ports/object-store.ts';

/** Which of the two objects of a snapshot. */
export type SnapshotObjectKind = 'volumeSnapshot' | 'volumeSnapshotContent';

/** The two objects of one snapshot as a watch last reported them, and a way to wait for the next report. */
export class TrackedSnapshot {
  readonly #objects = new Map<SnapshotObjectKind, KubernetesObject>();
  readonly #goneUids = new Set<string>();
  #change = Promise.withResolvers<void>();
  #failure: { readonly error: unknown } | undefined;

  /** The VolumeSnapshot; `undefined` before it is seen and after it is gone. */
  get volumeSnapshot(): KubernetesObject | undefined {
    return this.#objects.get('volumeSnapshot');
  }

  /** The content that refers to it; `undefined` before it is seen and after it is gone. */
  get volumeSnapshotContent(): KubernetesObject | undefined {
    return this.#objects.get('volumeSnapshotContent');
  }

  /** Takes what the watch reports. */
  update(kind: SnapshotObjectKind, object: KubernetesObject): void {
    this.#objects.set(kind, object);
    this.#notify();
  }

  /** Takes the answer to a request of ours, unless the watch has told more of that object already. */
  seed(kind: SnapshotObjectKind, object: KubernetesObject): void {
    const { uid = '' } = object.metadata;
    if (!this.#goneUids.has(uid) && this.#objects.get(kind)?.metadata.uid !== uid) {
      this.update(kind, object);
    }
  }

  /** Takes that an object is gone. */
  remove(kind: SnapshotObjectKind, object: KubernetesObject): void {
    const { uid = '' } = object.metadata;
    this.#goneUids.add(uid);
    if (this.#objects.get(kind)?.metadata.uid === uid) {
      this.#objects.delete(kind);
      this.#notify();
    }
  }

  /** Ends every wait, present and future, with an error: the watch is over. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#notify();
  }

  /**
   * Resolves on the next report, counted from the call. Aborted: rejects with `signal.reason`.
   *
   * @throws the error of the watch when it is over.
   */
  async changed({ signal }: CallOptions): Promise<void> {
    signal?.throwIfAborted();
    this.#throwIfFailed();
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    signal?.addEventListener('abort', onAbort, { once: true });
    await Promise.race([this.#change.promise, aborted.promise]);
    signal?.removeEventListener('abort', onAbort);
    signal?.throwIfAborted();
    this.#throwIfFailed();
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }
}
