import { messageOf } from '../errors.ts';
import { AdaptivePool } from '../internal/adaptive-pool.ts';
import { ConcurrencyWindow } from '../internal/concurrency-window.ts';
import { DeletionObserver } from '../internal/deletion-observer.ts';
import type { Issue } from '../model/issue.ts';
import { groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import { removeImportedSnapshot } from '../snapshot/imported-snapshot.ts';
import type { AwaitedClaim } from './awaited-claim.ts';
import { type ClaimEnd, waitForClaims } from './claim-waiter.ts';
import { putBackVolume } from './put-back-volume.ts';
import type { RestoreRecord } from './restore-record.ts';

const cleanUpTimeoutMs = 60_000;
const finishedAtATime = 8;
// What is not needed any more is removed after an abort, too.
const always = new AbortController().signal;

/** What {@link settleClaims} works with. */
export interface SettleClaimsOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly restore: Restore;
  readonly record: RestoreRecord;
  readonly claims: readonly AwaitedClaim[];
  readonly timeoutMs: number;
  readonly importedSnapshots: 'remove' | 'keep';
  readonly signal: AbortSignal;
}

/**
 * Waits for the restored claims to get their volumes. One that has it gives it what the original volume had, and its snapshot
 * objects are removed, while the others are still waited for. A claim that gets none is an error issue, one that waits for its first
 * pod a warning; both keep the objects they need to get one later. Aborted, it still removes what is not needed any more.
 */
export async function settleClaims(options: SettleClaimsOptions): Promise<void> {
  const { claims, restore, record, signal } = options;
  if (claims.length === 0) {
    return;
  }
  const ends = new Map<AwaitedClaim, ClaimEnd>();
  const finishing: Promise<void>[] = [];
  const pool = new AdaptivePool(new ConcurrencyWindow(finishedAtATime));
  await using deletions = new DeletionObserver(options.cluster);
  try {
    await waitForClaims({
      ...options,
      restoreName: restore.metadata.name,
      onEnd: (claim, end, object) => {
        ends.set(claim, end);
        reportEnd(options, claim, end);
        if (end === 'Bound') {
          finishing.push(
            pool.run(() => finish({ ...options, pool, deletions }, claim, object), always),
          );
        }
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    record.addIssue({
      severity: 'error',
      reason: 'ClaimsNotWatched',
      message: `whether the restored claims got their volumes is not known: ${messageOf(error)}`,
    });
  } finally {
    await Promise.all(finishing);
  }
  signal.throwIfAborted();
  for (const [claim, end] of ends) {
    if (end === 'WaitingForFirstConsumer') {
      reportWaiting(options, claim);
    } else if (end !== 'Bound') {
      record.addIssue(await notBound(options, claim, end));
    }
  }
}

interface FinishOptions extends SettleClaimsOptions {
  /** Has begun the work in which a claim is finished. */
  readonly pool: AdaptivePool;
  readonly deletions: DeletionObserver;
}

/** Never rejects, so that an abort does not leave behind what is not needed. */
async function finish(
  options: FinishOptions,
  claim: AwaitedClaim,
  object: KubernetesObject | undefined,
): Promise<void> {
  const volumeName = object && stringAt(object, ['spec', 'volumeName']);
  try {
    if (volumeName !== undefined) {
      await putBackVolume(options, claim, volumeName);
    }
  } catch {
    // Only an abort, of which the caller tells.
  }
  if (options.importedSnapshots === 'remove') {
    await removeImport(options, claim);
  }
}

// It is as it should be, but somebody has to remove what it is filled from, and to know that it is not filled yet.
function reportWaiting({ record }: SettleClaimsOptions, claim: AwaitedClaim): void {
  const { namespace, name, imported } = claim;
  if (imported === undefined) {
    return;
  }
  record.addIssue({
    severity: 'warning',
    reason: 'ClaimWaitsForPod',
    message: `it gets its volume when the first pod uses it, because its StorageClass waits for one; until then do not delete the VolumeSnapshot and VolumeSnapshotContent ${imported.name} that it is filled from, nor the backup`,
    object: { groupResource: groupResourceOf(Resources.persistentVolumeClaims), namespace, name },
  });
}

function reportEnd({ record }: SettleClaimsOptions, claim: AwaitedClaim, end: ClaimEnd): void {
  if (end === 'Bound' || end === 'WaitingForFirstConsumer') {
    const { namespace, name } = claim;
    record.report({ type: 'claim', namespace, claimName: name, state: end });
  }
}

async function removeImport(
  { clock, record, pool, deletions }: FinishOptions,
  { namespace, name, imported }: AwaitedClaim,
): Promise<void> {
  if (imported === undefined) {
    return;
  }
  try {
    await removeImportedSnapshot(imported, {
      ...{ timeoutMs: cleanUpTimeoutMs, clock, deletions },
      // A pair that does not go holds back no other.
      pause: (wait) => pool.pause(wait),
    });
  } catch (error) {
    record.addIssue({
      severity: 'warning',
      reason: 'SnapshotObjectsLeft',
      message: `the claim is bound, but the VolumeSnapshot and VolumeSnapshotContent ${imported.name} it was filled from could not be removed: ${messageOf(error)}`,
      object: { groupResource: groupResourceOf(Resources.persistentVolumeClaims), namespace, name },
    });
  }
}

async function notBound(
  options: SettleClaimsOptions,
  claim: AwaitedClaim,
  end: Exclude<ClaimEnd, 'Bound' | 'WaitingForFirstConsumer'>,
): Promise<Issue> {
  const { namespace, name, imported } = claim;
  const event = await latestEventMessage(options, claim);
  const why = {
    Lost: 'the claim lost its volume',
    Deleted: 'the claim was deleted while it was waited for',
    TimedOut: `the claim had no volume after ${options.timeoutMs} ms`,
  }[end];
  const told = event === undefined ? '' : `; its latest event says: ${event}`;
  const kept =
    imported === undefined
      ? ''
      : `; the VolumeSnapshot and VolumeSnapshotContent ${imported.name} it is filled from were kept`;
  return {
    severity: 'error',
    reason: 'ClaimNotBound',
    message: `${why}${told}${kept}`,
    object: { groupResource: groupResourceOf(Resources.persistentVolumeClaims), namespace, name },
  };
}

async function latestEventMessage(
  { cluster, signal }: SettleClaimsOptions,
  { namespace, uid }: AwaitedClaim,
): Promise<string | undefined> {
  try {
    const events = await Array.fromAsync(
      cluster.list(Resources.events, {
        namespace,
        fieldSelector: `involvedObject.uid=${uid}`,
        signal,
      }),
    );
    // Of one second there may be several, and the others only tell that something is being tried.
    const warnings = events.filter((event) => stringAt(event, ['type']) === 'Warning');
    const telling = warnings.length > 0 ? warnings : events;
    const latest = telling.toSorted((left, right) => (timeOf(left) < timeOf(right) ? 1 : -1)).at(0);
    return latest && stringAt(latest, ['message']);
  } catch {
    // Only an explanation: the issue says without it what is wrong.
    signal.throwIfAborted();
    return undefined;
  }
}

function timeOf(event: KubernetesObject): string {
  return (
    stringAt(event, ['lastTimestamp']) ??
    stringAt(event, ['eventTime']) ??
    stringAt(event, ['metadata', 'creationTimestamp']) ??
    ''
  );
}
