import { isLifeboatError, type LifeboatErrorCode, messageOf } from '../errors.ts';
import { onceReachable } from '../internal/once-reachable.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import { discardSnapshot } from './discard-snapshot.ts';
import { reportOrMoment } from './report-or-moment.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/** A snapshot that is being taken. */
export interface PendingSnapshot {
  readonly namespace: string;
  readonly name: string;
  readonly tracked: TrackedSnapshot;
  /** The VolumeSnapshot as the server created it; absent when no answer came. */
  readonly created?: KubernetesObject | undefined;
}

/**
 * Removes what a failed or aborted snapshot made, storage snapshot included, under a fresh deadline. Never rejects: what
 * could not be removed is described, so that its user can find it.
 */
export async function undoSnapshot(
  context: SnapshotContext,
  pending: PendingSnapshot,
  error: unknown,
): Promise<string | undefined> {
  const { cluster, clock, observer, runId, cleanUpTimeoutMs } = context;
  const { namespace, name, tracked } = pending;
  using deadline = withDeadline(undefined, cleanUpTimeoutMs, clock);
  const { signal } = deadline;
  try {
    const undo = async (): Promise<void> => {
      const volumeSnapshot =
        pending.created ?? (await findUnanswered(context, pending, error, signal));
      if (volumeSnapshot?.metadata.labels?.[LifeboatLabel.run] === runId) {
        const finalizerTimeoutMs = Math.min(2_000, cleanUpTimeoutMs / 4);
        const request = { cluster, clock, tracked, volumeSnapshot, finalizerTimeoutMs };
        await discardSnapshot(request, { signal });
      }
    };
    await onceReachable(undo, clock, signal);
    observer.forget(namespace, name);
    return undefined;
  } catch (cause) {
    const why = deadline.expired
      ? `not gone within ${cleanUpTimeoutMs / 1000} s`
      : messageOf(cause);
    const content = tracked.volumeSnapshotContent?.metadata.name;
    return `VolumeSnapshot ${namespace}/${name}${content === undefined ? '' : ` and VolumeSnapshotContent ${content}`} may be left in the cluster (${why}): look for label ${LifeboatLabel.run}=${runId}`;
  }
}

// After these the server may have created the object although it did not say so. So it may after an abort, which is no
// error of ours.
const unanswered: readonly LifeboatErrorCode[] = ['Unavailable', 'Timeout', 'Closed', 'Unknown'];
// How long a request that was cut may still be under way inside the server.
const lateMs = 1_000;

async function findUnanswered(
  { cluster, clock }: SnapshotContext,
  { namespace, name, tracked }: PendingSnapshot,
  error: unknown,
  signal: AbortSignal,
): Promise<KubernetesObject | undefined> {
  if (isLifeboatError(error) && !unanswered.includes(error.code)) {
    return undefined;
  }
  const untilMs = clock.now().getTime() + lateMs;
  const found = await cluster.get({ ...Resources.volumeSnapshots, namespace, name }, { signal });
  if (found !== undefined) {
    tracked.seed('volumeSnapshot', found);
    return found;
  }
  while (tracked.volumeSnapshot === undefined && clock.now().getTime() < untilMs) {
    await reportOrMoment(tracked, untilMs, clock, signal);
  }
  return tracked.volumeSnapshot;
}
