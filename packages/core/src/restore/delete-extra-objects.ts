import { ConcurrencyWindow } from '../internal/concurrency-window.ts';
import { runAll } from '../internal/run-all.ts';
import { type ObjectReference, parseApiVersion } from '../model/kubernetes.ts';
import type { PlannedRestoreItem, RestorePlan } from '../model/restore-plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import { failureOf } from './item-decider.ts';
import type { ItemOutcome } from './item-writer.ts';
import { pacedCluster } from './paced-cluster.ts';
import { protectionOf } from './protected-object.ts';
import type { RestoreOptions } from './request.ts';
import { waveOrder } from './restore-entries.ts';
import type { RestoreRecord } from './restore-record.ts';
import { retryConflicts } from './retry-conflicts.ts';
import type { RollbackScope } from './rollback-scope.ts';
import type { TargetResources } from './target-resources.ts';
import { wavesOf } from './waves.ts';
import { writeDeadline } from './write-deadline.ts';

/** What {@link deleteExtraObjects} works with. */
export interface DeleteExtraObjectsOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Objects that are worked on at a time, at most. */
  readonly concurrency: number;
  readonly resources: TargetResources;
  readonly options: Pick<RestoreOptions, 'resourcePriorities'>;
  /** It was held against the target before anything was restored. */
  readonly plan: RestorePlan;
  readonly scope: RollbackScope;
  readonly record: RestoreRecord;
  readonly signal: AbortSignal;
}

/**
 * Deletes what a plan says, in the reverse order of the waves: what reacts to others goes before what it needs. Each object is read
 * again, and deleted in just that version if everything that the plan says of it is still so. What one object has to say becomes an
 * issue of that object; what is gone already counts as skipped. Dependents go in the background.
 *
 * Rejects only when aborted, between two objects; a new plan then has what is left.
 */
export async function deleteExtraObjects(options: DeleteExtraObjectsOptions): Promise<void> {
  const { plan, record, clock, concurrency, resources, signal } = options;
  const window = new ConcurrencyWindow(concurrency);
  const cluster = pacedCluster({ cluster: options.cluster, clock, window });
  const items = Map.groupBy(
    plan.items.filter(({ action }) => action === 'delete'),
    ({ target }) => target.groupResource,
  );
  const waves = wavesOf(items.keys(), waveOrder(options.options, resources)).toReversed();
  for (const wave of waves) {
    signal.throwIfAborted();
    const inWave = wave.resources.flatMap((resource) => items.get(resource) ?? []);
    record.expect(inWave.length);
    record.report({ type: 'wave', name: wave.name, resources: wave.resources });
    await runAll(
      inWave,
      (item, itemSignal) => deleteAndRecord({ ...options, cluster }, item, itemSignal),
      { concurrency: window.width, signal },
    );
  }
}

async function deleteAndRecord(
  options: DeleteExtraObjectsOptions,
  item: PlannedRestoreItem,
  signal: AbortSignal,
): Promise<void> {
  const { record } = options;
  const { target: object } = item;
  signal.throwIfAborted();
  let outcome: ItemOutcome;
  try {
    outcome = await deleteAsPlanned(options, item, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { reason, message } = failureOf(error);
    const issue = { severity: 'error', reason, message, object } as const;
    outcome = { action: 'failed', reason: message, issue };
  }
  if (outcome.issue !== undefined) {
    record.addIssue(outcome.issue);
  }
  record.addOutcome(object, item, outcome.action, outcome.reason);
  record.addDone();
}

async function deleteAsPlanned(
  { cluster, clock, resources, scope }: DeleteExtraObjectsOptions,
  item: PlannedRestoreItem,
  signal: AbortSignal,
): Promise<ItemOutcome> {
  const { source, target, apiVersion, live: planned } = item;
  const resource = resources.preferred(target.groupResource);
  if (resource === undefined) {
    return leftAlone(item, 'the target does not serve its resource any more');
  }
  const { namespace, name } = target;
  const { group, version } = parseApiVersion(apiVersion);
  const reference: ObjectReference = {
    ...{ group, version, resource: resource.resource, namespace, name },
  };
  // Controllers write the status of their objects at any time.
  return retryConflicts(async (): Promise<ItemOutcome> => {
    const live = await cluster.get(reference, { signal });
    if (live === undefined) {
      return { action: 'skipped', reason: 'it is gone already' };
    }
    const { uid, resourceVersion } = live.metadata;
    if (uid !== planned?.uid || uid === undefined) {
      return leftAlone(item, 'another object has taken its name');
    }
    const protection = protectionOf(target.groupResource, live);
    if (protection !== undefined || !scope.takes(resource, source, live)) {
      return leftAlone(item, protection ?? 'it is not what is selected any more');
    }
    signal.throwIfAborted();
    using deadline = writeDeadline(clock);
    const call = { uid, resourceVersion, signal: deadline.signal };
    await cluster.delete(reference, { ...call, propagationPolicy: 'Background' });
    return { action: 'deleted', reason: item.reason };
  });
}

function leftAlone({ target }: PlannedRestoreItem, why: string): ItemOutcome {
  const message = `the plan says that it is deleted, and now ${why}; it is left as it is`;
  return {
    action: 'skipped',
    reason: message,
    issue: { severity: 'warning', reason: 'TargetChanged', message, object: target },
  };
}
