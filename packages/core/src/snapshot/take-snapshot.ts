import { randomInt } from 'node:crypto';

import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import type { SnapshotState } from '../model/event.ts';
import { describeObject, type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { numberAt, stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { awaitSnapshot } from './await-snapshot.ts';
import { retainPatch, volumeSnapshotManifest, volumeSnapshotNameOf } from './manifests.ts';
import type { ReadySnapshot } from './ready-snapshot.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import { type PendingSnapshot, undoSnapshot } from './undo-snapshot.ts';

/** What is known of a snapshot when its state changes. */
export interface SnapshotDetails {
  readonly volumeSnapshotName?: string | undefined;
  readonly volumeSnapshotContentName?: string | undefined;
  readonly snapshotHandle?: string | undefined;
}

/** Receives the states of a snapshot, in order. What it throws is logged and ignored. */
export type SnapshotStateListener = (state: SnapshotState, details: SnapshotDetails) => void;

/** Which volume to snapshot, and how. */
export interface TakeSnapshotRequest {
  /** The bound claim. */
  readonly claim: KubernetesObject;
  /** Its PersistentVolume, of a CSI driver. */
  readonly volume: KubernetesObject;
  readonly snapshotClass: KubernetesObject;
  /** How long the storage may take to cut the snapshot. @default 600000 */
  readonly handleTimeoutMs?: number | undefined;
  /** How long it may take from then on to become ready to use. @default 14400000 */
  readonly readyTimeoutMs?: number | undefined;
  readonly onState?: SnapshotStateListener | undefined;
}

/**
 * Takes the snapshot of a claim's volume and resolves when it is ready to use. What it made is undone before it rejects.
 *
 * @throws {LifeboatError} code SnapshotFailed with the reason, and with what could not be undone.
 */
export async function takeSnapshot(
  context: SnapshotContext,
  request: TakeSnapshotRequest,
  report: SnapshotStateListener,
  { signal }: CallOptions,
): Promise<ReadySnapshot> {
  const { claim } = request;
  using slot = await context.slots.acquire(driverOf(request), { signal });
  const namespace = claim.metadata.namespace ?? '';
  const name = volumeSnapshotNameOf(claim, randomSuffix());
  let pending: PendingSnapshot = {
    namespace,
    name,
    tracked: context.observer.track(namespace, name),
  };
  try {
    pending = { ...pending, created: await requestSnapshot(context, request, pending, signal) };
    report('Requested', detailsOf(pending));
    return await followSnapshot(context, request, pending, report, { signal, slot });
  } catch (error) {
    const note = await undoSnapshot(context, pending, error);
    report('Failed', detailsOf(pending));
    if (signal?.aborted && note !== undefined) {
      context.logger.warn('an aborted snapshot could not be removed', { namespace, name, note });
    }
    signal?.throwIfAborted();
    throw failureOf(claim, error, note);
  }
}

async function requestSnapshot(
  { cluster, backupName, runId }: SnapshotContext,
  { claim, snapshotClass }: TakeSnapshotRequest,
  { name, tracked }: PendingSnapshot,
  signal: AbortSignal | undefined,
): Promise<KubernetesObject> {
  const manifest = volumeSnapshotManifest({ claim, snapshotClass, name, backupName, runId });
  const created = await cluster.create(Resources.volumeSnapshots, manifest, { signal });
  tracked.seed('volumeSnapshot', created);
  return created;
}

async function followSnapshot(
  context: SnapshotContext,
  request: TakeSnapshotRequest,
  pending: PendingSnapshot,
  report: SnapshotStateListener,
  { signal, slot }: CallOptions & { readonly slot: Disposable },
): Promise<ReadySnapshot> {
  const { cluster, clock, errorGraceMs, backupName, runId } = context;
  const { handleTimeoutMs = 600_000, readyTimeoutMs = 14_400_000 } = request;
  let classDeletionPolicy: 'Delete' | 'Retain' = 'Delete';
  const outcome = await awaitSnapshot(
    {
      tracked: pending.tracked,
      limits: { handleTimeoutMs, readyTimeoutMs, errorGraceMs },
      clock,
      retain: async (content) => {
        classDeletionPolicy =
          stringAt(content, ['spec', 'deletionPolicy']) === 'Retain' ? 'Retain' : 'Delete';
        const reference = referenceTo(Resources.volumeSnapshotContents, content);
        const patch = retainPatch(backupName, runId);
        await cluster.patch(reference, { type: 'merge', patch }, { signal });
      },
      onState: (state) => {
        report(state, detailsOf(pending));
        if (state === 'HandleAssigned') {
          // The point in time is fixed; what follows is the storage's own business and may take hours.
          slot[Symbol.dispose]();
        }
      },
    },
    { signal },
  );
  if (outcome.type === 'failed') {
    throw new LifeboatError(outcome.reason, { code: 'SnapshotFailed', operation: 'snapshot' });
  }
  report('ReadyToUse', detailsOf(pending));
  return readySnapshot(request, outcome, classDeletionPolicy);
}

function readySnapshot(
  request: TakeSnapshotRequest,
  outcome: Pick<ReadySnapshot, 'volumeSnapshot' | 'volumeSnapshotContent' | 'snapshotHandle'>,
  classDeletionPolicy: 'Delete' | 'Retain',
): ReadySnapshot {
  const { volumeSnapshot, volumeSnapshotContent, snapshotHandle } = outcome;
  return {
    claimNamespace: request.claim.metadata.namespace ?? '',
    claimName: request.claim.metadata.name,
    volumeName: request.volume.metadata.name,
    volumeSnapshot,
    volumeSnapshotContent,
    snapshotClass: request.snapshotClass,
    classDeletionPolicy,
    driver: driverOf(request),
    snapshotHandle,
    restoreSizeBytes: numberAt(volumeSnapshotContent, ['status', 'restoreSize']),
    createdAt: stringAt(volumeSnapshot, ['status', 'creationTime']),
  };
}

function detailsOf({ name, tracked }: PendingSnapshot): SnapshotDetails {
  const content = tracked.volumeSnapshotContent;
  return {
    volumeSnapshotName: name,
    volumeSnapshotContentName: content?.metadata.name,
    snapshotHandle: content && stringAt(content, ['status', 'snapshotHandle']),
  };
}

function failureOf(claim: KubernetesObject, error: unknown, note: string | undefined): Error {
  const target = describeObject(referenceTo(Resources.persistentVolumeClaims, claim));
  return snapshotFailure('snapshot', target, {
    reason: messageOf(error),
    cause: isLifeboatError(error, 'SnapshotFailed') ? error.cause : error,
    note,
  });
}

function driverOf({ volume }: TakeSnapshotRequest): string {
  return stringAt(volume, ['spec', 'csi', 'driver']) ?? '';
}

// The characters that the API server itself appends to a generateName: no vowels, so no words.
const suffixCharacters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;

function randomSuffix(): string {
  return Array.from({ length: suffixLength }, () =>
    suffixCharacters.charAt(randomInt(suffixCharacters.length)),
  ).join('');
}
