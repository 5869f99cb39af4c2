import { messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import { type LeftoverPair, snapshotHandleOf } from '../snapshot/leftover-pair.ts';
import { freeLeftoverPair } from '../snapshot/leftover-removal.ts';
import type { DeletedSnapshot } from './delete-request.ts';
import type { ReleaseSnapshotsRequest } from './release-snapshots.ts';
import { findRunSnapshots } from './run-snapshots.ts';
import { snapshotKeyOf } from './stored-snapshot.ts';

/**
 * Frees the snapshots that the unfinished run of a plan has left in the cluster, as they stand now, with their objects. Adds what
 * was freed and what failed to the lists.
 */
export async function releaseRunSnapshots(
  request: ReleaseSnapshotsRequest,
  freed: DeletedSnapshot[],
  failures: unknown[],
): Promise<void> {
  const { cluster, store, clock, plan, concurrency, releaseTimeoutMs: timeoutMs, signal } = request;
  const { name: backupName, unfinishedRun: runId } = plan;
  if (runId === undefined) {
    return;
  }
  const known = new Set([...plan.toRelease, ...plan.shared].map(snapshotKeyOf));
  const look = { cluster, store, backupName, runId, known, signal };
  const release = async (pair: LeftoverPair, workSignal: AbortSignal): Promise<void> => {
    const snapshot = snapshotHandleOf(pair);
    const what = { type: 'snapshot', backupName } as const;
    try {
      const options = { signal: workSignal };
      await freeLeftoverPair({ cluster, clock, pair, backupName, timeoutMs }, options);
      if (snapshot !== undefined) {
        freed.push({ ...snapshot, state: 'released', sharedWith: [] });
        request.report({ ...what, ...snapshot, state: 'Released' });
      }
    } catch (error) {
      workSignal.throwIfAborted();
      failures.push(error);
      if (snapshot !== undefined) {
        request.report({ ...what, ...snapshot, state: 'Failed', message: messageOf(error) });
      }
    }
  };
  await runAll(await findRunSnapshots(look), release, { concurrency, signal });
}
