import { LifeboatError, messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { DeletionEvent } from '../model/event.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { releaseGroupSnapshot } from '../snapshot/release-group-snapshot.ts';
import { releaseSnapshot } from '../snapshot/release-snapshot.ts';
import { removeSnapshotObjects } from '../snapshot/remove-snapshot-objects.ts';
import type { DeleteBackupDependencies, DeletedSnapshot } from './delete-request.ts';
import type { DeletionPlan } from './plan-deletion.ts';
import { releaseRunSnapshots } from './release-run-snapshots.ts';
import { type ReleaseUnit, releaseUnits } from './stored-group.ts';

/** What {@link releaseSnapshots} works with. */
export interface ReleaseSnapshotsRequest
  extends Pick<DeleteBackupDependencies, 'cluster' | 'store' | 'clock' | 'concurrency'> {
  readonly plan: DeletionPlan;
  readonly releaseTimeoutMs: number | undefined;
  /** Must not throw. */
  readonly report: (event: DeletionEvent) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Frees the snapshots of a plan, several at a time, each with its own deadline, removes what stands for them in the cluster,
 * and frees what an unfinished run has left there. One that fails does not keep the others from being freed.
 *
 * @throws {LifeboatError} code SnapshotFailed when one could not be freed, or what stands for it could not be removed.
 */
export async function releaseSnapshots(
  request: ReleaseSnapshotsRequest,
): Promise<readonly DeletedSnapshot[]> {
  const { cluster, plan, signal } = request;
  const failures: unknown[] = [];
  const freed: DeletedSnapshot[] = [];
  try {
    if (plan.toRelease.length > 0) {
      const listed = cluster.list(Resources.volumeSnapshotClasses, { signal });
      await releaseEach(request, await Array.fromAsync(listed), freed, failures);
      await removeSnapshotObjects({ cluster, snapshots: freed }, { signal });
    }
    await releaseRunSnapshots(request, freed, failures);
  } catch (error) {
    signal?.throwIfAborted();
    failures.push(error);
  }
  if (failures.length > 0) {
    throw incomplete(plan.name, failures);
  }
  return freed;
}

async function releaseEach(
  request: ReleaseSnapshotsRequest,
  volumeSnapshotClasses: readonly KubernetesObject[],
  freed: DeletedSnapshot[],
  failures: unknown[],
): Promise<void> {
  const { cluster, clock, plan, concurrency, releaseTimeoutMs: timeoutMs, signal } = request;
  const { name: backupName } = plan;
  const release = async (unit: ReleaseUnit, workSignal: AbortSignal): Promise<void> => {
    const { snapshots, group } = unit;
    const [{ driver }] = snapshots;
    const options = { signal: workSignal };
    const shared = { cluster, clock, backupName, driver, timeoutMs };
    const report = (state: ReleaseState, message?: string): void =>
      snapshots.forEach(({ snapshotHandle }) => {
        const what = { type: 'snapshot', backupName, driver, snapshotHandle, state } as const;
        request.report(message === undefined ? what : { ...what, message });
      });
    try {
      const state = await (group === undefined
        ? releaseSnapshot({ ...shared, ...snapshots[0], volumeSnapshotClasses }, options)
        : releaseGroupSnapshot({ ...shared, ...group }, options));
      freed.push(
        ...snapshots.map(({ snapshotHandle }) => ({
          ...{ driver, snapshotHandle, state },
          sharedWith: [],
        })),
      );
      report(state === 'released' ? 'Released' : 'NotFound');
    } catch (error) {
      workSignal.throwIfAborted();
      failures.push(error);
      report('Failed', messageOf(error));
    }
  };
  await runAll(releaseUnits(plan.toRelease), release, { concurrency, signal });
}

type ReleaseState = 'Released' | 'NotFound' | 'Failed';

const failuresInMessage = 5;

function incomplete(name: string, failures: readonly unknown[]): LifeboatError {
  const shown = failures.slice(0, failuresInMessage).map(messageOf).join('; ');
  const more =
    failures.length > failuresInMessage ? `; and ${failures.length - failuresInMessage} more` : '';
  return new LifeboatError(
    `backup ${name} is not deleted, because not all of its snapshots could be freed; repeat the call. ${shown}${more}`,
    {
      code: 'SnapshotFailed',
      operation: 'deleteBackup',
      target: name,
      retryable: true,
      cause: failures[0],
    },
  );
}
