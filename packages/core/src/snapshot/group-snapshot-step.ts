import type { KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel } from '../model/labels.ts';
import { booleanAt, stringAt } from '../model/object-path.ts';
import { driverErrorKindOf, isPassing } from './driver-error.ts';
import { claimNameOf } from './group-manifests.ts';
import type { GroupMemberObjects, GroupObjects } from './group-objects.ts';
import { errorOf, handleOf } from './snapshot-step.ts';

/** How long a group may take, in milliseconds. */
export interface GroupSnapshotLimits {
  /** From the request until the storage has cut all of its snapshots. */
  readonly handleTimeoutMs: number;
  /** From then on until they are ready to use. */
  readonly readyTimeoutMs: number;
  /** How long an error may stand before it counts: the driver is called again several times meanwhile. */
  readonly errorGraceMs: number;
}

/** What is remembered of a group between two looks at its objects. */
export interface GroupSnapshotProgress {
  readonly state: 'Requested' | 'Bound' | 'HandleAssigned';
  /** When the present wait ends in failure, in milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Since when an error has stood without a break. */
  readonly failingSinceMs?: number | undefined;
}

/** A member whose snapshot is cut. */
export interface CutGroupMember extends GroupMemberObjects {
  readonly volumeSnapshotContent: KubernetesObject;
  readonly snapshotHandle: string;
}

/** What to do next with a group. */
export type GroupSnapshotStep =
  /** Look again when an object changes, at the latest at `untilMs`. */
  | { readonly type: 'wait'; readonly untilMs: number }
  /** Say whose these objects are, and give the contents among them policy Retain. */
  | { readonly type: 'protect'; readonly objects: readonly KubernetesObject[] }
  | {
      readonly type: 'ready';
      readonly groupSnapshotHandle: string;
      readonly content: KubernetesObject;
      /** By name of the claim; more than were asked for when the label is on more claims. */
      readonly members: ReadonlyMap<string, CutGroupMember>;
    }
  | { readonly type: 'failed'; readonly reason: string };

/** What is wanted of a group, and how long it may take. */
export interface GroupSnapshotGoal {
  readonly claimNames: readonly string[];
  readonly runId: string;
  readonly limits: GroupSnapshotLimits;
}

/** The progress of a group that was requested just now. */
export function requestedGroup(nowMs: number, limits: GroupSnapshotLimits): GroupSnapshotProgress {
  return { state: 'Requested', deadlineMs: nowMs + limits.handleTimeoutMs };
}

/**
 * Decides from the objects of a group what to do next with it. Pure: the same input gives the same step.
 *
 * - Every object is labelled, and every content protected, before anything else is waited for.
 * - The group is cut when the storage has a name for it and for the snapshot of every wanted claim.
 * - An error is retried by the driver's sidecar, so it fails the group only once it has stood for `errorGraceMs`; that the
 *   driver is busy, does not answer or is still at work, only when time runs out.
 */
export function nextGroupSnapshotStep(
  before: GroupSnapshotProgress,
  objects: GroupObjects,
  { claimNames, runId, limits }: GroupSnapshotGoal,
  nowMs: number,
): { readonly progress: GroupSnapshotProgress; readonly step: GroupSnapshotStep } {
  const lost = lostObject(before, objects);
  if (lost !== undefined) {
    const reason = `its ${lost} was deleted by someone else while the snapshots were being taken`;
    return { progress: before, step: { type: 'failed', reason } };
  }
  const cut = cutMembers(objects, claimNames);
  const error = groupErrorOf(objects);
  const progress = withError(advance(before, objects, cut, nowMs, limits), error, nowMs);
  const unprotected = unprotectedObjects(objects, runId);
  if (unprotected.length > 0) {
    return { progress, step: { type: 'protect', objects: unprotected } };
  }
  return { progress, step: stepOf(progress, objects, cut, error, nowMs, limits) };
}

function stepOf(
  progress: GroupSnapshotProgress,
  { content }: GroupObjects,
  cut: CutMembers,
  error: string | undefined,
  nowMs: number,
  limits: GroupSnapshotLimits,
): GroupSnapshotStep {
  const groupSnapshotHandle = content && groupHandleOf(content);
  const isReady = cut.missing.length === 0 && [...cut.members.values()].every(isReadyToUse);
  if (content !== undefined && groupSnapshotHandle !== undefined && isReady) {
    return { type: 'ready', groupSnapshotHandle, content, members: cut.members };
  }
  const graceEndsMs =
    progress.failingSinceMs === undefined || isWorthWaiting(error)
      ? Number.POSITIVE_INFINITY
      : progress.failingSinceMs + limits.errorGraceMs;
  if (nowMs >= graceEndsMs) {
    return {
      type: 'failed',
      reason: `the driver keeps failing: ${error ?? 'it does not say why'}`,
    };
  }
  return nowMs >= progress.deadlineMs
    ? { type: 'failed', reason: describeTimeout(progress, cut.missing, error, limits) }
    : { type: 'wait', untilMs: Math.min(progress.deadlineMs, graceEndsMs) };
}

/** What the storage calls the group of a VolumeGroupSnapshotContent; `undefined` until it is cut. */
export function groupHandleOf(content: KubernetesObject): string | undefined {
  const handle = stringAt(content, ['status', 'volumeGroupSnapshotHandle']);
  return handle === '' ? undefined : handle;
}

interface CutMembers {
  readonly members: ReadonlyMap<string, CutGroupMember>;
  /** The claims whose snapshot is not known yet. */
  readonly missing: readonly string[];
}

function cutMembers({ members }: GroupObjects, claimNames: readonly string[]): CutMembers {
  const cut = new Map<string, CutGroupMember>();
  for (const { volumeSnapshot, volumeSnapshotContent } of members) {
    const claimName = claimNameOf(volumeSnapshot);
    const snapshotHandle = volumeSnapshotContent && handleOf(volumeSnapshotContent);
    if (claimName !== undefined && volumeSnapshotContent && snapshotHandle !== undefined) {
      cut.set(claimName, { volumeSnapshot, volumeSnapshotContent, snapshotHandle });
    }
  }
  return { members: cut, missing: claimNames.filter((name) => !cut.has(name)) };
}

function isReadyToUse({ volumeSnapshot, volumeSnapshotContent }: CutGroupMember): boolean {
  return (
    booleanAt(volumeSnapshot, ['status', 'readyToUse']) === true &&
    booleanAt(volumeSnapshotContent, ['status', 'readyToUse']) === true
  );
}

function lostObject(
  { state }: GroupSnapshotProgress,
  { groupSnapshot, content, members }: GroupObjects,
): string | undefined {
  if (groupSnapshot === undefined || groupSnapshot.metadata.deletionTimestamp !== undefined) {
    return 'VolumeGroupSnapshot';
  }
  if (
    content === undefined ? state !== 'Requested' : content.metadata.deletionTimestamp !== undefined
  ) {
    return 'VolumeGroupSnapshotContent';
  }
  const isLost = members.some(
    ({ volumeSnapshot, volumeSnapshotContent }) =>
      volumeSnapshot.metadata.deletionTimestamp !== undefined ||
      volumeSnapshotContent?.metadata.deletionTimestamp !== undefined,
  );
  return isLost ? 'VolumeSnapshot or VolumeSnapshotContent' : undefined;
}

function unprotectedObjects(
  { content, members }: GroupObjects,
  runId: string,
): readonly KubernetesObject[] {
  const all = [
    content,
    ...members.flatMap(({ volumeSnapshot, volumeSnapshotContent }) => [
      volumeSnapshotContent,
      volumeSnapshot,
    ]),
  ];
  return all
    .filter((object) => object !== undefined)
    .filter((object) => !isProtected(object, runId));
}

function isProtected(object: KubernetesObject, runId: string): boolean {
  const isOurs = object.metadata.labels?.[LifeboatLabel.run] === runId;
  return isOurs && (stringAt(object, ['spec', 'deletionPolicy']) ?? 'Retain') === 'Retain';
}

function advance(
  before: GroupSnapshotProgress,
  { content }: GroupObjects,
  { missing }: CutMembers,
  nowMs: number,
  limits: GroupSnapshotLimits,
): GroupSnapshotProgress {
  if (content === undefined || before.state === 'HandleAssigned') {
    return before;
  }
  if (groupHandleOf(content) === undefined || missing.length > 0) {
    return before.state === 'Bound'
      ? before
      : { ...before, state: 'Bound', failingSinceMs: undefined };
  }
  return { state: 'HandleAssigned', deadlineMs: nowMs + limits.readyTimeoutMs };
}

function withError(
  progress: GroupSnapshotProgress,
  error: string | undefined,
  nowMs: number,
): GroupSnapshotProgress {
  return {
    ...progress,
    failingSinceMs: error === undefined ? undefined : (progress.failingSinceMs ?? nowMs),
  };
}

/** The error in the status of any object of a group. */
export function groupErrorOf({
  groupSnapshot,
  content,
  members,
}: GroupObjects): string | undefined {
  const all = [
    content,
    groupSnapshot,
    ...members.flatMap((member) => [member.volumeSnapshotContent, member.volumeSnapshot]),
  ];
  return all.map((object) => errorOf(object)).find((error) => error !== undefined);
}

// With these two codes the storage is still cutting.
const atWork: RegExp = /\bcode = (?:DeadlineExceeded|Aborted)\b/;

// What passes by itself may last as long as the storage may take to cut a group.
function isWorthWaiting(error: string | undefined): boolean {
  return error !== undefined && (atWork.test(error) || isPassing(driverErrorKindOf(error)));
}

function describeTimeout(
  { state }: GroupSnapshotProgress,
  missing: readonly string[],
  error: string | undefined,
  { handleTimeoutMs, readyTimeoutMs }: GroupSnapshotLimits,
): string {
  const cause = error === undefined ? '' : `; the last error was: ${error}`;
  switch (state) {
    case 'Requested':
      return `no VolumeGroupSnapshotContent was made for it within ${handleTimeoutMs / 1000} s${cause}. Check that the snapshot-controller is running with volume group snapshots on`;
    case 'Bound':
      return `the storage has not cut it within ${handleTimeoutMs / 1000} s${cause}; snapshots are missing of ${missing.join(', ')}. Check that the csi-snapshotter sidecar is running with volume group snapshots on, and that the driver supports them`;
    case 'HandleAssigned':
      return `its snapshots did not become ready to use within ${readyTimeoutMs / 1000} s${cause}`;
    default:
      return state satisfies never;
  }
}
