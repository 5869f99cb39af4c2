import { keepPlace, type Pause } from '../internal/pause.ts';
import { systemClock } from '../internal/system-clock.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { booleanAt, objectAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { isSnapshotNotFound } from './driver-error.ts';
import { ImportObserver } from './import-observer.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import { errorOf } from './snapshot-step.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/** What {@link awaitImport} waits for. */
export interface AwaitImportRequest {
  readonly cluster: Cluster;
  readonly volumeSnapshot: KubernetesObject;
  readonly volumeSnapshotContent: KubernetesObject;
  readonly driver: string;
  readonly snapshotHandle: string;
}

/** Options of {@link awaitImport}. */
export interface AwaitImportOptions extends CallOptions {
  /** How long the cluster may take to find the snapshot in its storage. @default 120000 */
  readonly readyTimeoutMs?: number | undefined;
  /** @default the system's clock */
  readonly clock?: Clock | undefined;
  /** Reports what becomes of the VolumeSnapshot. @default one of this call alone, with a watch of its own */
  readonly observer?: ImportObserver | undefined;
  /** Does the waiting, in which nothing is asked of the cluster. @default it is just done */
  readonly pause?: Pause | undefined;
}

// The sidecar calls the driver again several times within a second, and then after half a minute.
const errorGraceMs = 40_000;
const notFoundGraceMs = 5_000;

/**
 * Waits until a static pair is bound and the driver has found its snapshot, so that a claim which is filled from it will not
 * wait in vain. Resolves with the VolumeSnapshot as it then stands.
 *
 * An error of the driver counts once it has stood for 40 s, that there is no such snapshot after 5 s.
 *
 * @throws {LifeboatError} code SnapshotFailed naming the handle, the driver, and what they or the cluster's controllers say.
 */
export async function awaitImport(
  request: AwaitImportRequest,
  options: AwaitImportOptions = {},
): Promise<KubernetesObject> {
  const { cluster, volumeSnapshot } = request;
  if (options.observer === undefined) {
    await using observer = new ImportObserver({ cluster });
    return await awaitImport(request, { ...options, observer });
  }
  const { observer, signal } = options;
  try {
    const tracked = await observer.track(volumeSnapshot, { signal });
    return await untilReady(request, tracked, options);
  } finally {
    observer.forget(volumeSnapshot);
  }
}

type Tracked = Pick<TrackedSnapshot, 'volumeSnapshot' | 'changed'>;

async function untilReady(
  request: AwaitImportRequest,
  tracked: Tracked,
  { signal, readyTimeoutMs = 120_000, clock = systemClock, pause = keepPlace }: AwaitImportOptions,
): Promise<KubernetesObject> {
  const startedMs = clock.now().getTime();
  const latestMs = startedMs + readyTimeoutMs;
  let error: string | undefined;
  for (;;) {
    const nowMs = clock.now().getTime();
    const waitMs = Math.max(0, Math.min(latestMs - nowMs, graceOf(error)));
    using deadline = withDeadline(signal, waitMs, clock);
    try {
      const seen = await pause(() => nextTurn(request, tracked, error, deadline.signal));
      if (seen.ready !== undefined) {
        return seen.ready;
      }
      error = seen.error;
    } catch (cause) {
      if (!deadline.expired) {
        throw cause;
      }
      const reason = error === undefined ? await explain(request, signal) : inWords(error);
      throw failed(request, `${reason} (after ${(clock.now().getTime() - startedMs) / 1000} s)`);
    }
  }
}

type Turn =
  | { readonly ready: KubernetesObject; readonly error?: undefined }
  | { readonly ready?: undefined; readonly error: string | undefined };

/** Resolves when the snapshot is ready, or when there is an error where there was none, or none any more. */
async function nextTurn(
  request: AwaitImportRequest,
  tracked: Tracked,
  known: string | undefined,
  signal: AbortSignal,
): Promise<Turn> {
  for (;;) {
    const found = tracked.volumeSnapshot;
    if (found === undefined || !isSame(found, request.volumeSnapshot)) {
      throw failed(request, 'its VolumeSnapshot was deleted by someone else');
    }
    const error = errorOf(found);
    if (booleanAt(found, ['status', 'readyToUse']) === true) {
      return { ready: found };
    }
    if ((error === undefined) !== (known === undefined)) {
      return { error };
    }
    await tracked.changed({ signal });
  }
}

function isSame(found: KubernetesObject, { metadata }: KubernetesObject): boolean {
  return found.metadata.uid === metadata.uid && found.metadata.deletionTimestamp === undefined;
}

function graceOf(error: string | undefined): number {
  if (error === undefined) {
    return Number.POSITIVE_INFINITY;
  }
  return isSnapshotNotFound(error) ? notFoundGraceMs : errorGraceMs;
}

function inWords(error: string): string {
  return isSnapshotNotFound(error)
    ? `the storage that this cluster reaches does not have it: ${error}. Is it in another region or account, or was it deleted?`
    : `the driver cannot read it: ${error}`;
}

async function explain(
  { cluster, volumeSnapshotContent, driver }: AwaitImportRequest,
  signal: AbortSignal | undefined,
): Promise<string> {
  const reference = referenceTo(Resources.volumeSnapshotContents, volumeSnapshotContent);
  const content = await cluster.get(reference, { signal });
  return content !== undefined && objectAt(content, ['status']) !== undefined
    ? 'it did not become ready to use. If its storage is not just slow, look at the log of the snapshot-controller'
    : `nothing looked for it: check that the csi-snapshotter sidecar of driver ${driver} is running`;
}

function failed({ driver, snapshotHandle }: AwaitImportRequest, reason: string): Error {
  return snapshotFailure('importSnapshot', `snapshot ${snapshotHandle} of driver ${driver}`, {
    reason,
  });
}
