import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { booleanAt, stringAt } from '../model/object-path.ts';
import { driverErrorKindOf, isPassing } from './driver-error.ts';

/** How long a snapshot may take, in milliseconds. */
export interface SnapshotLimits {
  /** From the request until the storage has cut the snapshot. So long is also waited for a busy or absent driver. */
  readonly handleTimeoutMs: number;
  /** From then on until it is ready to use. */
  readonly readyTimeoutMs: number;
  /** How long an error may stand before it counts: the driver is called again several times meanwhile. */
  readonly errorGraceMs: number;
}

/** What is remembered of a snapshot between two looks at its objects. */
export interface SnapshotProgress {
  readonly state: 'Requested' | 'Bound' | 'HandleAssigned';
  /** When the present wait ends in failure, in milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Whether the content was given policy Retain; set by whoever carries out the step `retain`. */
  readonly retained: boolean;
  /** Since when an error has stood without a break. */
  readonly failingSinceMs?: number | undefined;
  /** An error that is known to be over although the sidecar leaves its text in the status until the snapshot is ready. */
  readonly overcomeError?: string | undefined;
}

/** What is seen of a snapshot at one moment. */
export interface SnapshotObservation {
  /** Absent when it is gone. */
  readonly volumeSnapshot: KubernetesObject | undefined;
  /** The content made for it; absent when there is none yet, or no more. */
  readonly volumeSnapshotContent: KubernetesObject | undefined;
  readonly nowMs: number;
  /** Since when the driver has refused every snapshot because of its load; absent when it does not. */
  readonly refusingSinceMs?: number | undefined;
}

/** What to do next. */
export type SnapshotStep =
  /** Look again when an object changes, at the latest at `untilMs`. */
  | { readonly type: 'wait'; readonly untilMs: number }
  /** Give the content policy Retain, so that nobody's deletion of the VolumeSnapshot takes the storage snapshot along. */
  | { readonly type: 'retain'; readonly volumeSnapshotContent: KubernetesObject }
  | {
      readonly type: 'ready';
      readonly volumeSnapshot: KubernetesObject;
      readonly volumeSnapshotContent: KubernetesObject;
      readonly snapshotHandle: string;
    }
  | {
      readonly type: 'failed';
      readonly reason: string;
      /** Whether somebody has to be told what to look at: the objects alone do not say why it failed. */
      readonly needsDiagnosis: boolean;
    };

/** The progress of a snapshot that was requested just now. */
export function requestedSnapshot(nowMs: number, limits: SnapshotLimits): SnapshotProgress {
  return { state: 'Requested', deadlineMs: nowMs + limits.handleTimeoutMs, retained: false };
}

/**
 * Decides from a VolumeSnapshot and its content what to do next with a snapshot. Pure: the same input gives the same step.
 *
 * - An error in a status is retried by the driver's sidecar, so it fails the snapshot only once it has stood for
 *   `errorGraceMs`, and not while the sidecar says that the storage is still at work on it.
 * - That a driver is busy or does not answer passes, so it may last as long as the storage may take to cut a snapshot;
 *   counted from when it began for any snapshot of the driver, or hundreds of them would wait so long one after another.
 * - A VolumeSnapshot or content that someone else deletes is a failure at once.
 */
export function nextSnapshotStep(
  before: SnapshotProgress,
  observation: SnapshotObservation,
  limits: SnapshotLimits,
): { readonly progress: SnapshotProgress; readonly step: SnapshotStep } {
  const { volumeSnapshot, nowMs } = observation;
  const content = contentOf(observation);
  if (volumeSnapshot === undefined || volumeSnapshot.metadata.deletionTimestamp !== undefined) {
    return {
      progress: before,
      step: deletedByOthers('VolumeSnapshot'),
    };
  }
  if (
    content?.metadata.deletionTimestamp !== undefined ||
    (!content && before.state !== 'Requested')
  ) {
    return {
      progress: before,
      step: deletedByOthers('VolumeSnapshotContent'),
    };
  }
  const error = errorOf(content) ?? errorOf(volumeSnapshot);
  const progress = withError(advance(before, content, error, nowMs, limits), error, nowMs);
  const seen = { ...observation, volumeSnapshot, content, error };
  return { progress, step: stepOf(progress, seen, limits) };
}

interface Seen {
  readonly volumeSnapshot: KubernetesObject;
  readonly content: KubernetesObject | undefined;
  readonly error: string | undefined;
  readonly nowMs: number;
  readonly refusingSinceMs?: number | undefined;
}

function stepOf(progress: SnapshotProgress, seen: Seen, limits: SnapshotLimits): SnapshotStep {
  const { volumeSnapshot, content, error, nowMs } = seen;
  if (content !== undefined && !progress.retained) {
    return { type: 'retain', volumeSnapshotContent: content };
  }
  const snapshotHandle = content && handleOf(content);
  if (content && snapshotHandle !== undefined && isReady(volumeSnapshot, content)) {
    return { type: 'ready', volumeSnapshot, volumeSnapshotContent: content, snapshotHandle };
  }
  const graceEndsMs = graceEndOf(progress, seen, limits);
  if (error !== undefined && nowMs >= graceEndsMs) {
    return {
      type: 'failed',
      reason: `the driver keeps failing: ${error}`,
      needsDiagnosis: driverErrorKindOf(error) !== 'Other',
    };
  }
  return nowMs >= progress.deadlineMs
    ? {
        type: 'failed',
        reason: describeTimeout(progress, content, error, limits),
        needsDiagnosis: true,
      }
    : { type: 'wait', untilMs: Math.min(progress.deadlineMs, graceEndsMs) };
}

function graceEndOf(
  { failingSinceMs }: SnapshotProgress,
  { content, error, refusingSinceMs }: Seen,
  { errorGraceMs, handleTimeoutMs }: SnapshotLimits,
): number {
  if (failingSinceMs === undefined || error === undefined || isStillAtWork(content, error)) {
    return Number.POSITIVE_INFINITY;
  }
  const graceEndsMs = failingSinceMs + errorGraceMs;
  return isPassing(driverErrorKindOf(error))
    ? Math.max(graceEndsMs, (refusingSinceMs ?? failingSinceMs) + handleTimeoutMs)
    : graceEndsMs;
}

function advance(
  before: SnapshotProgress,
  content: KubernetesObject | undefined,
  error: string | undefined,
  nowMs: number,
  limits: SnapshotLimits,
): SnapshotProgress {
  if (content === undefined || before.state === 'HandleAssigned') {
    return before;
  }
  if (handleOf(content) === undefined) {
    return before.state === 'Bound'
      ? before
      : { ...before, state: 'Bound', failingSinceMs: undefined };
  }
  return {
    ...before,
    state: 'HandleAssigned',
    deadlineMs: nowMs + limits.readyTimeoutMs,
    failingSinceMs: undefined,
    overcomeError: error,
  };
}

function withError(
  progress: SnapshotProgress,
  error: string | undefined,
  nowMs: number,
): SnapshotProgress {
  return error === undefined || error === progress.overcomeError
    ? { ...progress, failingSinceMs: undefined }
    : { ...progress, failingSinceMs: progress.failingSinceMs ?? nowMs };
}

function deletedByOthers(kind: string): SnapshotStep {
  const reason = `its ${kind} was deleted by someone else while the snapshot was being taken`;
  return { type: 'failed', reason, needsDiagnosis: false };
}

function describeTimeout(
  { state }: SnapshotProgress,
  content: KubernetesObject | undefined,
  error: string | undefined,
  { handleTimeoutMs, readyTimeoutMs }: SnapshotLimits,
): string {
  const cause = error === undefined ? '' : `; the last error was: ${error}`;
  const its = `VolumeSnapshotContent ${content?.metadata.name ?? ''}`;
  switch (state) {
    case 'Requested':
      return `no VolumeSnapshotContent was made for it within ${handleTimeoutMs / 1000} s${cause}`;
    case 'Bound':
      return `${its} got no snapshot handle within ${handleTimeoutMs / 1000} s${cause}`;
    case 'HandleAssigned':
      return `${its} did not become ready to use within ${readyTimeoutMs / 1000} s${cause}`;
    default:
      return state satisfies never;
  }
}

/** The content, if it belongs to this very VolumeSnapshot and not to an earlier one of its name. */
function contentOf(observation: SnapshotObservation): KubernetesObject | undefined {
  const { volumeSnapshot, volumeSnapshotContent: content } = observation;
  const owner = content && stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']);
  return owner !== undefined && owner === volumeSnapshot?.metadata.uid ? content : undefined;
}

function isReady(volumeSnapshot: KubernetesObject, content: KubernetesObject): boolean {
  return (
    booleanAt(content, ['status', 'readyToUse']) === true &&
    booleanAt(volumeSnapshot, ['status', 'readyToUse']) === true &&
    stringAt(volumeSnapshot, ['status', 'boundVolumeSnapshotContentName']) === content.metadata.name
  );
}

/** What the storage calls the snapshot of a content; `undefined` until it is cut. */
export function handleOf(content: JsonObject): string | undefined {
  const handle = stringAt(content, ['status', 'snapshotHandle']);
  return handle === '' ? undefined : handle;
}

/** The error in the status of a VolumeSnapshot or a content. */
export function errorOf(object: JsonObject | undefined): string | undefined {
  return object && stringAt(object, ['status', 'error', 'message']);
}

/** The annotation that the sidecar leaves on a content while it does not know how a call to take its snapshot ended. */
export const beingCreatedAnnotation: string =
  'snapshot.storage.kubernetes.io/volumesnapshot-being-created';

// With one of these two codes the storage is still cutting; with the others that the annotation is left with (Unavailable,
// ResourceExhausted, Canceled) it has not begun (external-snapshotter: isCSIFinalError).
const atWork: RegExp = /\bcode = (?:DeadlineExceeded|Aborted)\b/;

function isStillAtWork(content: KubernetesObject | undefined, error: string | undefined): boolean {
  return (
    error !== undefined &&
    atWork.test(error) &&
    Object.hasOwn(content?.metadata.annotations ?? {}, beingCreatedAnnotation)
  );
}
