import { isLifeboatError, type LifeboatErrorCode, messageOf } from '../errors.ts';
import { onceReachable } from '../internal/once-reachable.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import { LifeboatLabel } from '../model/labels.ts';
import type { GroupSnapshotContext } from './group-snapshot-context.ts';
import { removeGroupObjects } from './remove-group-objects.ts';

/** A group that is being taken. */
export interface PendingGroup {
  readonly namespace: string;
  readonly name: string;
  /** Of the VolumeGroupSnapshot; absent while no answer has come. */
  uid?: string | undefined;
}

/**
 * Removes what a failed or aborted group made, storage snapshots included, under a fresh deadline. Never rejects: what could
 * not be removed is described, so that its user can find it.
 */
export async function undoGroupSnapshot(
  context: GroupSnapshotContext,
  pending: PendingGroup,
  error: unknown,
): Promise<string | undefined> {
  const { clock, runId, cleanUpTimeoutMs } = context;
  const { namespace, name } = pending;
  using deadline = withDeadline(undefined, cleanUpTimeoutMs, clock);
  const { signal } = deadline;
  try {
    const undo = async (): Promise<void> => {
      const uid = pending.uid ?? (await findUnanswered(context, pending, error, signal));
      if (uid !== undefined) {
        const { cluster, resources } = context;
        await removeGroupObjects(
          {
            cluster,
            clock,
            identity: { resources, namespace, name, uid },
            deletionPolicy: 'Delete',
          },
          { signal },
        );
      }
    };
    await onceReachable(undo, clock, signal);
    return undefined;
  } catch (cause) {
    const why = deadline.expired
      ? `not gone within ${cleanUpTimeoutMs / 1000} s`
      : messageOf(cause);
    return `VolumeGroupSnapshot ${namespace}/${name} and what belongs to it may be left in the cluster (${why}): look for label ${LifeboatLabel.run}=${runId}`;
  }
}

// After these the server may have created the object although it did not say so. So it may after an abort, which is no
// error of ours.
const unanswered: readonly LifeboatErrorCode[] = ['Unavailable', 'Timeout', 'Closed', 'Unknown'];
// How long a request that was cut may still be under way inside the server.
const lateMs = 1_000;

async function findUnanswered(
  { cluster, clock, resources, runId }: GroupSnapshotContext,
  { namespace, name }: PendingGroup,
  error: unknown,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (isLifeboatError(error) && !unanswered.includes(error.code)) {
    return undefined;
  }
  const reference = { ...resources.groupSnapshots, namespace, name };
  let found = await cluster.get(reference, { signal });
  if (found === undefined) {
    await clock.sleep(lateMs, signal);
    found = await cluster.get(reference, { signal });
  }
  return found?.metadata.labels?.[LifeboatLabel.run] === runId ? found.metadata.uid : undefined;
}
