import { isLifeboatError, messageOf } from '../errors.ts';
import { onceReachable } from '../internal/once-reachable.ts';
import { safeListener } from '../internal/safe-listener.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import { referenceTo } from '../model/kubernetes.ts';
import { LifeboatLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { CutSnapshot } from './cut-snapshot.ts';
import { deleteIfSame } from './delete-if-same.ts';
import { detachSnapshot } from './detach-snapshot.ts';
import { discardSnapshot } from './discard-snapshot.ts';
import { keepPatch } from './manifests.ts';
import type { ReadySnapshot } from './ready-snapshot.ts';
import { releaseSnapshot } from './release-snapshot.ts';
import { requestSnapshot } from './snapshot-attempt.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import { describeSnapshotObject, snapshotFailure } from './snapshot-failure.ts';
import type { SnapshotReport, TakeSnapshotRequest } from './take-snapshot-request.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/**
 * The snapshots of one backup run, under one watch per kind of object.
 *
 * - Every method may be called concurrently for different snapshots.
 * - Every object carries the backup's label and `lifeboat.dev/run`, so that what a crash leaves can be found.
 * - Dispose it at the end; what it has not detached, kept or discarded stays in the cluster, with policy Retain.
 */
export class SnapshotSession implements AsyncDisposable {
  readonly #context: SnapshotContext;
  readonly #reporters = new Map<string, (report: SnapshotReport) => void>();

  constructor(context: SnapshotContext) {
    this.#context = context;
  }

  /**
   * Requests the snapshot of a bound claim's volume and resolves when the storage has cut it: from then on the data may
   * change, for example because hooks let the application go on. To wait until it is usable is a second call, `ready`.
   *
   * - Request the claims that belong together at once: each waits for room at its driver, not for the others.
   * - Its content gets policy Retain as soon as it exists: from then on no deletion of the VolumeSnapshot or its namespace
   *   destroys the storage snapshot.
   * - An error of the driver counts only when it stands for `errorGraceMs`, since the sidecar calls the driver again; that the
   *   driver is busy or does not answer, only when it lasts for `handleTimeoutMs`.
   * - Failed or aborted: what was made is removed again, storage snapshot included, before the call rejects.
   * - `onState` hears of Requested, Bound, HandleAssigned and ReadyToUse, of Failed, and of Detached if it comes to that.
   *
   * @throws {LifeboatError} code SnapshotFailed: the driver failed, time ran out, or an object was deleted meanwhile. The
   * message says so in the driver's words, says what to look at, and names what could not be removed.
   */
  async request(request: TakeSnapshotRequest, options: CallOptions = {}): Promise<CutSnapshot> {
    const report = this.#reporterOf(request);
    const cut = await requestSnapshot(this.#context, request, report, options);
    return {
      ...cut,
      ready: async (readyOptions) => {
        const snapshot = await cut.ready(readyOptions);
        this.#reporters.set(keyOf(snapshot), report);
        return snapshot;
      },
    };
  }

  /** Snapshots the volume of a bound claim and resolves when the snapshot is ready: {@link SnapshotSession.request} and `ready`. */
  async take(request: TakeSnapshotRequest, options: CallOptions = {}): Promise<ReadySnapshot> {
    const cut = await this.request(request, options);
    return cut.ready(options);
  }

  /**
   * Deletes the two objects of a snapshot and waits until they are gone; the storage snapshot stays. Repeated calls, and
   * objects that are gone already, are success.
   *
   * @throws {LifeboatError} code SnapshotFailed: the content's policy is no longer Retain, so nothing was deleted; or an
   * object is still there after `cleanUpTimeoutMs`. The storage snapshot is safe either way.
   */
  async detach(snapshot: ReadySnapshot, options: CallOptions = {}): Promise<void> {
    await this.#within('detach', snapshot, options, async (tracked, signal) => {
      await detachSnapshot({ cluster: this.#context.cluster, tracked, snapshot }, { signal });
    });
    const details = {
      volumeSnapshotName: snapshot.volumeSnapshot.metadata.name,
      volumeSnapshotContentName: snapshot.volumeSnapshotContent.metadata.name,
      snapshotHandle: snapshot.snapshotHandle,
    };
    this.#reporters.get(keyOf(snapshot))?.({ type: 'Detached', details });
    this.#reporters.delete(keyOf(snapshot));
  }

  /**
   * Leaves a snapshot's objects in the cluster, the VolumeSnapshot annotated as Velero does, the content with policy Retain.
   *
   * @throws {ClusterError} code NotFound when somebody deleted the VolumeSnapshot.
   */
  async keep(snapshot: ReadySnapshot, { signal }: CallOptions = {}): Promise<void> {
    const reference = referenceTo(Resources.volumeSnapshots, snapshot.volumeSnapshot);
    const patch = { type: 'merge', patch: keepPatch(snapshot) } as const;
    await this.#context.cluster.patch(reference, patch, { signal });
  }

  /**
   * Frees a snapshot for good: its objects and the storage snapshot, also after {@link SnapshotSession.detach}. Repeated
   * calls are success.
   *
   * @throws {LifeboatError} code SnapshotFailed when something is still there after `cleanUpTimeoutMs`.
   */
  async discard(snapshot: ReadySnapshot, options: CallOptions = {}): Promise<void> {
    await this.#within('discard', snapshot, options, async (tracked, signal) => {
      const { cluster, clock, backupName, cleanUpTimeoutMs } = this.#context;
      const { volumeSnapshot, volumeSnapshotContent } = snapshot;
      const contentReference = referenceTo(Resources.volumeSnapshotContents, volumeSnapshotContent);
      const live = await cluster.get(contentReference, { signal });
      if (live?.metadata.uid === volumeSnapshotContent.metadata.uid) {
        await discardSnapshot({ cluster, clock, tracked, volumeSnapshot }, { signal });
        return;
      }
      const reference = referenceTo(Resources.volumeSnapshots, volumeSnapshot);
      await deleteIfSame(cluster, reference, volumeSnapshot, { signal });
      const { driver, snapshotHandle } = snapshot;
      const timeoutMs = cleanUpTimeoutMs;
      await releaseSnapshot(
        { cluster, clock, backupName, driver, snapshotHandle, volumeSnapshotContent, timeoutMs },
        { signal },
      );
    });
    this.#reporters.delete(keyOf(snapshot));
  }

  /** Ends the watches; a snapshot that is still being taken fails. Repeated calls do nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.observer[Symbol.asyncDispose]();
  }

  async #within(
    operation: string,
    snapshot: ReadySnapshot,
    { signal }: CallOptions,
    work: (tracked: TrackedSnapshot, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { observer, clock, runId, cleanUpTimeoutMs } = this.#context;
    const { name, namespace = '' } = snapshot.volumeSnapshot.metadata;
    using deadline = withDeadline(signal, cleanUpTimeoutMs, clock);
    try {
      await onceReachable(
        () => work(observer.track(namespace, name), deadline.signal),
        clock,
        deadline.signal,
      );
      observer.forget(namespace, name);
    } catch (error) {
      signal?.throwIfAborted();
      if (isLifeboatError(error, 'SnapshotFailed')) {
        throw error;
      }
      throw snapshotFailure(operation, describeSnapshotObject(snapshot.volumeSnapshot), {
        reason: deadline.expired
          ? `it or its VolumeSnapshotContent ${snapshot.volumeSnapshotContent.metadata.name} is still there after ${cleanUpTimeoutMs / 1000} s; look for label ${LifeboatLabel.run}=${runId}`
          : messageOf(error),
        cause: error,
      });
    }
  }

  #reporterOf({ onState, onDelay }: TakeSnapshotRequest): (report: SnapshotReport) => void {
    return safeListener<SnapshotReport>((report) => {
      if (report.type === 'Delayed') {
        onDelay?.(report.diagnosis, report.details);
      } else {
        onState?.(report.type, report.details);
      }
    }, this.#context.logger);
  }
}

function keyOf({ claimNamespace, volumeSnapshot }: ReadySnapshot): string {
  return `${claimNamespace}/${volumeSnapshot.metadata.name}`;
}
