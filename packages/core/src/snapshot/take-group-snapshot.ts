import { randomUUID } from 'node:crypto';

import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import type { SnapshotState } from '../model/event.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { createOwnObject } from './create-own-object.ts';
import type { CutGroupSnapshot } from './cut-group-snapshot.ts';
import type { SnapshotDiagnosis } from './diagnose.ts';
import type { SnapshotSource } from './driver-slots.ts';
import { GroupDelays } from './group-delays.ts';
import { groupSnapshotManifest, groupSnapshotNameOf, ownerPatch } from './group-manifests.ts';
import { type GroupIdentity, groupObjectReference, readGroupObjects } from './group-objects.ts';
import type { GroupSnapshotContext } from './group-snapshot-context.ts';
import {
  type GroupSnapshotGoal,
  type GroupSnapshotProgress,
  type GroupSnapshotStep,
  nextGroupSnapshotStep,
  requestedGroup,
} from './group-snapshot-step.ts';
import { GroupWatch } from './group-watch.ts';
import { retainPatch } from './manifests.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import { type GroupMember, TakenGroupSnapshot } from './taken-group-snapshot.ts';
import { type PendingGroup, undoGroupSnapshot } from './undo-group-snapshot.ts';

/** Which group to snapshot, and how. */
export interface TakeGroupSnapshotRequest {
  readonly namespace: string;
  readonly labelKey: string;
  readonly labelValue: string;
  /** The claims of the namespace that carry the label. */
  readonly members: readonly GroupMember[];
  readonly groupSnapshotClass: KubernetesObject;
  /** How long the storage may take to cut the snapshots. @default 600000 */
  readonly handleTimeoutMs?: number | undefined;
  /** How long it may take from then on until all are ready to use. @default 14400000 */
  readonly readyTimeoutMs?: number | undefined;
  /** Receives the states of the group, in order. */
  readonly onState?: ((state: SnapshotState) => void) | undefined;
  /** Receives why the storage has not cut the group yet, after `diagnoseAfterMs` and again after twice as long, and so on. */
  readonly onDelay?: ((diagnosis: SnapshotDiagnosis) => void) | undefined;
}

/**
 * Takes the snapshots of all claims of a group as of one moment, once their driver has room, and resolves when the storage has
 * cut them. Every content gets
 * policy Retain as soon as it exists. Failed or aborted: what was made is removed again, storage snapshots included, before
 * the call rejects.
 *
 * @throws {LifeboatError} code SnapshotFailed with the reason, and with what could not be undone.
 */
export async function takeGroupSnapshot(
  context: GroupSnapshotContext,
  request: TakeGroupSnapshotRequest,
  { signal }: CallOptions = {},
): Promise<CutGroupSnapshot> {
  const { cluster, resources, backupName, runId } = context;
  const { namespace, labelKey, labelValue, onState } = request;
  const name = groupSnapshotNameOf(labelValue, randomUUID().slice(0, 5));
  const manifest = groupSnapshotManifest({
    apiVersion: resources.apiVersion,
    namespace,
    name,
    className: request.groupSnapshotClass.metadata.name,
    labelKey,
    labelValue,
    backupName,
    runId,
  });
  const pending: PendingGroup = { namespace, name };
  using _slot = await context.slots.acquire(sourceOf(request), { signal });
  return await undoOnFailure(context, request, pending, signal, async () => {
    const created = await createOwnObject(context, resources.groupSnapshots, manifest, { signal });
    pending.uid = created.metadata.uid;
    onState?.('Requested');
    const identity = { resources, namespace, name, uid: pending.uid ?? '' };
    const start = requestedGroup(context.clock.now().getTime(), limitsOf(context, request));
    const cut = await follow(context, request, identity, start, 'cut', signal);
    context.slots.reportSuccess(sourceOf(request).driver);
    const objects = await readGroupObjects(cluster, identity, { signal });
    return new TakenGroupSnapshot({
      context,
      members: request.members,
      classDeletionPolicy: policyOf(request.groupSnapshotClass),
      identity,
      objects,
      untilReady: (options) =>
        undoOnFailure(context, request, pending, options.signal, async () => {
          const next = await follow(
            context,
            request,
            identity,
            cut.progress,
            'ready',
            options.signal,
          );
          onState?.('ReadyToUse');
          return next.step;
        }),
      onDetached: () => onState?.('Detached'),
    });
  });
}

async function undoOnFailure<T>(
  context: GroupSnapshotContext,
  request: TakeGroupSnapshotRequest,
  pending: PendingGroup,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const note = await undoGroupSnapshot(context, pending, error);
    request.onState?.('Failed');
    if (signal?.aborted && note !== undefined) {
      const { namespace, name } = pending;
      context.logger.warn('an aborted group snapshot could not be removed', {
        namespace,
        name,
        note,
      });
    }
    signal?.throwIfAborted();
    throw snapshotFailure('groupSnapshot', describeGroup(request), {
      reason: messageOf(error),
      cause: isLifeboatError(error, 'SnapshotFailed') ? error.cause : error,
      note,
    });
  }
}

// What happens to a content alone, such as an error, may be copied late.
const longestPauseMs = 2_000;

async function follow(
  context: GroupSnapshotContext,
  request: TakeGroupSnapshotRequest,
  identity: GroupIdentity,
  start: GroupSnapshotProgress,
  goal: 'cut' | 'ready',
  signal: AbortSignal | undefined,
): Promise<{ readonly progress: GroupSnapshotProgress; readonly step: GroupSnapshotStep }> {
  const { cluster, clock, resources } = context;
  const { driver } = sourceOf(request);
  const delays = new GroupDelays({ context, driver, onDelay: request.onDelay });
  await using watch = new GroupWatch(cluster, resources, identity.namespace, { signal });
  let progress = start;
  for (;;) {
    const report = watch.next();
    const objects = await readGroupObjects(cluster, identity, { signal });
    const nowMs = clock.now().getTime();
    const next = nextGroupSnapshotStep(progress, objects, goalOf(context, request), nowMs);
    reportStates(request, progress.state, next.progress.state);
    progress = next.progress;
    let dueMs = Number.POSITIVE_INFINITY;
    if (progress.state !== 'HandleAssigned') {
      await delays.look(objects, { signal });
      dueMs = delays.nextLookMs;
    }
    switch (next.step.type) {
      case 'protect':
        await protect(context, next.step.objects, signal);
        break;
      case 'wait':
        if (goal === 'cut' && progress.state === 'HandleAssigned') {
          return next;
        }
        await watch.reportOrTime(report, pauseMs(nowMs, next.step.untilMs, dueMs), clock);
        break;
      case 'failed':
        throw new LifeboatError(next.step.reason, {
          code: 'SnapshotFailed',
          operation: 'groupSnapshot',
        });
      case 'ready':
        return next;
      default:
        next.step satisfies never;
    }
  }
}

function pauseMs(nowMs: number, ...momentsMs: readonly number[]): number {
  return Math.min(Math.max(0, Math.min(...momentsMs) - nowMs), longestPauseMs);
}

async function protect(
  { cluster, resources, backupName, runId }: GroupSnapshotContext,
  objects: readonly KubernetesObject[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const object of objects) {
    const hasPolicy = stringAt(object, ['spec', 'deletionPolicy']) !== undefined;
    const patch = hasPolicy ? retainPatch(backupName, runId) : ownerPatch(backupName, runId);
    const reference = groupObjectReference(resources, object);
    try {
      await cluster.patch(reference, { type: 'merge', patch }, { signal });
    } catch (error) {
      // Whether its loss matters is decided at the next look.
      if (!isLifeboatError(error, 'NotFound')) {
        throw error;
      }
    }
  }
}

const states = ['Requested', 'Bound', 'HandleAssigned'] as const;

function reportStates(
  { onState }: TakeGroupSnapshotRequest,
  before: GroupSnapshotProgress['state'],
  after: GroupSnapshotProgress['state'],
): void {
  for (const state of states.slice(states.indexOf(before) + 1, states.indexOf(after) + 1)) {
    onState?.(state);
  }
}

// Two runs that take one group meet at its first volume.
function sourceOf({ members, groupSnapshotClass }: TakeGroupSnapshotRequest): SnapshotSource {
  const handles = members.flatMap(
    ({ volume }) => stringAt(volume, ['spec', 'csi', 'volumeHandle']) ?? [],
  );
  const [volumeHandle = ''] = handles.sort();
  return { driver: stringAt(groupSnapshotClass, ['driver']) ?? '', volumeHandle };
}

function policyOf(groupSnapshotClass: KubernetesObject): 'Delete' | 'Retain' {
  return stringAt(groupSnapshotClass, ['deletionPolicy']) === 'Retain' ? 'Retain' : 'Delete';
}

function goalOf(
  context: GroupSnapshotContext,
  request: TakeGroupSnapshotRequest,
): GroupSnapshotGoal {
  return {
    claimNames: request.members.map(({ claim }) => claim.metadata.name),
    runId: context.runId,
    limits: limitsOf(context, request),
  };
}

function limitsOf(
  { errorGraceMs }: GroupSnapshotContext,
  { handleTimeoutMs = 600_000, readyTimeoutMs = 14_400_000 }: TakeGroupSnapshotRequest,
): GroupSnapshotGoal['limits'] {
  return { handleTimeoutMs, readyTimeoutMs, errorGraceMs };
}

function describeGroup({ namespace, labelKey, labelValue }: TakeGroupSnapshotRequest): string {
  return `volume group ${namespace}/${labelValue} (label ${labelKey})`;
}
