import type { CallOptions } from '../ports/object-store.ts';
import type { ReadySnapshot } from './ready-snapshot.ts';

/**
 * A snapshot that the storage has cut: its point in time is fixed, and whatever held the application still may let go. Its
 * content has policy Retain. Either wait until it is {@link CutSnapshot.ready} or {@link CutSnapshot.discard} it; what is
 * neither stays in the cluster, labelled.
 */
export interface CutSnapshot {
  readonly claimNamespace: string;
  readonly claimName: string;
  readonly driver: string;
  readonly volumeSnapshotName: string;
  readonly volumeSnapshotContentName: string;
  readonly snapshotHandle: string;

  /**
   * Resolves when volumes can be made from the snapshot; `readyTimeoutMs` counts from when it was cut. Repeated calls get the
   * outcome of the first, whose signal counts. Failed or aborted: the snapshot is freed before the call rejects.
   *
   * @throws {LifeboatError} code SnapshotFailed: an error of the driver stood too long, time ran out, or an object was deleted
   * meanwhile.
   */
  ready(options?: CallOptions): Promise<ReadySnapshot>;

  /**
   * Frees the snapshot for good: its objects and the storage snapshot. Repeated calls are success. Not to be called while
   * {@link CutSnapshot.ready} is under way: abort that instead.
   *
   * @throws {LifeboatError} code SnapshotFailed, naming what is still there after `cleanUpTimeoutMs`.
   */
  discard(): Promise<void>;
}
