import { AbortScope } from '../internal/abort-scope.ts';
import { AdaptivePool } from '../internal/adaptive-pool.ts';
import { ConcurrencyWindow } from '../internal/concurrency-window.ts';
import { safeListener } from '../internal/safe-listener.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import type { RestorePlanEvent } from '../model/event.ts';
import { compareCodePoints } from '../model/json.ts';
import { identifierKey } from '../model/kubernetes.ts';
import { terminalPhase } from '../model/phase.ts';
import type {
  PlannedRestoreAction,
  PlannedRestoreItem,
  PlannedRestoreVolume,
  PlannedWave,
  RestorePlan,
} from '../model/restore-plan.ts';
import { acceptRestore } from './accept-restore.ts';
import { ClaimOutlooks } from './claim-outlooks.ts';
import { entriesToRestore } from './entries-to-restore.ts';
import { existingObjectsPolicy } from './existing-objects-policy.ts';
import { extraObjects } from './extra-objects.ts';
import { PlannedHooks } from './hooks/planned-hooks.ts';
import { ItemDecider } from './item-decider.ts';
import { openBackup } from './opened-backup.ts';
import { pacedCluster } from './paced-cluster.ts';
import { plannedCluster } from './planned-cluster.ts';
import type { RestoreOptions, RestoreRequest } from './request.ts';
import {
  additionalItems,
  preparationSteps,
  type RestoreEntriesDependencies,
  type RestoreRun,
  restoreBefore,
  waveOrder,
} from './restore-entries.ts';
import { restoreItems } from './restore-items.ts';
import { RestorePlanner } from './restore-planner.ts';
import { RestoreRecord } from './restore-record.ts';
import type { RestoreDependencies } from './run-restore.ts';

/** How to plan a restore: with the options that the restore is to have. Those that decide nothing are ignored. */
export interface PlanRestoreOptions extends Omit<RestoreOptions, 'onEvent'> {
  /** Receives reports while backup and cluster are read. What it throws is logged and ignored. */
  readonly onEvent?: ((event: RestorePlanEvent) => void) | undefined;
  /**
   * `server`: every create and patch is also sent to the API server as a dry run; what it refuses to create is `blocked`, what it
   * refuses to patch a `conflict`. It cannot be asked about objects of namespaces or definitions that do not exist yet, nor about objects
   * that would be deleted first; an object's `isCheckedByServer` tells. The user then needs the rights to write. @default the API server
   * is only read
   */
  readonly dryRun?: 'server' | undefined;
}

/** What {@link planEntries} works with. */
export interface PlanEntriesOptions {
  /** Its resources will count as served what is only planned, until they are refreshed. */
  readonly run: Omit<RestoreRun, 'record'>;
  /** Collects what there is to say of the plan. */
  readonly record: RestoreRecord;
  readonly options: PlanRestoreOptions;
}

/** Finds out what a restore would do, by the code that does it, with a cluster that is only read. */
export async function planRestore(
  dependencies: RestoreDependencies,
  request: RestoreRequest,
  { onEvent, ...options }: PlanRestoreOptions = {},
): Promise<RestorePlan> {
  const { cluster, store, logger } = dependencies;
  options.signal?.throwIfAborted();
  const restore = await acceptRestore(dependencies, request, { ...options, isPlanned: true });
  const emit = safeListener(onEvent, logger);
  const record = new RestoreRecord((event) => {
    if (event.type === 'wave' || event.type === 'progress' || event.type === 'issue') {
      emit(event);
    }
  }, silentLogger);
  using scope = new AbortScope(options.signal);
  const { signal } = scope;
  const { tempDirectory } = options;
  await using opened = await openBackup({
    ...{ store, restore, record, tempDirectory, options, signal },
    cluster: plannedCluster(cluster),
    actions: dependencies.actions,
  });
  return await planEntries(dependencies, { run: { ...opened, restore, signal }, record, options });
}

/** Decides about every entry of a backup that was opened, and writes the decisions down. */
export async function planEntries(
  dependencies: RestoreEntriesDependencies & Pick<RestoreDependencies, 'podExec'>,
  { run, record, options }: PlanEntriesOptions,
): Promise<RestorePlan> {
  const { clock } = dependencies;
  const { restore, contents, volumes, resources, signal } = run;
  const window = new ConcurrencyWindow(dependencies.concurrency);
  const live = pacedCluster({ cluster: dependencies.cluster, clock, window });
  const cluster = plannedCluster(live);
  const pool = new AdaptivePool(window);
  const shared = { ...run, cluster, clock, record, pool };
  const decider = new ItemDecider({
    ...shared,
    outlooks: new ClaimOutlooks(shared),
    ensureNamespace: (namespace, itemSignal) => planner.ensureNamespace(namespace, itemSignal),
    steps: preparationSteps(dependencies, run),
    restoreBefore: restoreBefore(dependencies, () => additional),
    policy: existingObjectsPolicy(restore.spec, options),
    lookUp: 'always',
    keepsChanges: true,
  });
  const dryRunCluster = options.dryRun === 'server' ? live : undefined;
  const hooks = new PlannedHooks(restore.spec, dependencies.podExec !== undefined);
  const planner: RestorePlanner = new RestorePlanner({
    ...{ restore, cluster, dryRunCluster, resources, decider, hooks, record },
    reasonOf: (entry) => additional?.reasonOf(entry),
  });
  const entries = await entriesToRestore(contents, volumes, restore.spec, signal);
  // Nothing is restored, so nobody can wait until it is ready.
  const asked = { ...shared, clock: undefined, entries, handler: planner };
  const additional = additionalItems(dependencies, asked);
  const order = waveOrder(options, resources);
  const handler = additional ?? planner;
  const waves = await restoreItems({ ...shared, entries, handler, order });
  const restored = inOrder(planner.items, waves);
  const { rollback: scope } = run;
  const extra = scope && (await extraObjects({ ...run, cluster: live, scope, restored, order }));
  const items = [...restored, ...(extra ?? [])];
  return {
    kind: 'RestorePlan',
    restore,
    backup: { name: restore.spec.backupName, digest: contents.digest },
    options: plannedOptions(options),
    waves,
    items,
    counts: countsOf(items),
    volumes: planner.volumes.toSorted(byName),
    missing: planner.missing,
    hooks: hooks.calls,
    phase: terminalPhase(record.errors),
    issues: record.issues,
  };
}

function plannedOptions({
  existingObjects,
  resourcePriorities,
  dryRun,
  only,
  ...changes
}: PlanRestoreOptions): RestorePlan['options'] {
  const { storageClassMapping, imageMapping, nodeMapping, claimNameMapping } = changes;
  const { veleroPluginConfig, resourceModifiers } = changes;
  return {
    ...(existingObjects === undefined ? {} : { existingObjects }),
    ...(resourcePriorities === undefined ? {} : { resourcePriorities }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(only === undefined ? {} : { only }),
    ...(storageClassMapping === undefined ? {} : { storageClassMapping }),
    ...(imageMapping === undefined ? {} : { imageMapping }),
    ...(nodeMapping === undefined ? {} : { nodeMapping }),
    ...(claimNameMapping === undefined ? {} : { claimNameMapping }),
    ...(veleroPluginConfig === undefined ? {} : { veleroPluginConfig }),
    ...(resourceModifiers === undefined ? {} : { resourceModifiers }),
  };
}

/** Objects are decided about several at a time; a plan has them in the same order each time. */
function inOrder(
  items: readonly PlannedRestoreItem[],
  waves: readonly PlannedWave[],
): readonly PlannedRestoreItem[] {
  const rank = new Map(
    waves.flatMap(({ resources }) => resources).map((name, index) => [name, index]),
  );
  const bySource = new Map(items.map((item) => [identifierKey(item.source), item]));
  // An action may have made it another kind, which does not change when it is restored. What was not selected comes with the one that asks for it.
  const rankOf = (item: PlannedRestoreItem, seen = new Set<PlannedRestoreItem>()): number => {
    const { source, askedForBy } = item;
    const asking = askedForBy && bySource.get(identifierKey(askedForBy.object));
    const isUnknown = asking === undefined || seen.has(asking);
    return rank.get(source.groupResource) ?? (isUnknown ? 0 : rankOf(asking, seen.add(item)));
  };
  const key = (item: PlannedRestoreItem): string => {
    const { namespace = '', name } = item.target;
    return `${String(rankOf(item)).padStart(6, '0')} ${namespace} ${name}`;
  };
  return items
    .map((item) => ({ item, key: key(item) }))
    .toSorted((left, right) => compareCodePoints(left.key, right.key))
    .map(({ item }) => item);
}

function byName(left: PlannedRestoreVolume, right: PlannedRestoreVolume): number {
  return (
    compareCodePoints(left.namespace, right.namespace) ||
    compareCodePoints(left.claimName, right.claimName)
  );
}

function countsOf(items: readonly PlannedRestoreItem[]): RestorePlan['counts'] {
  const counts: Record<PlannedRestoreAction, number> = {
    ...{ create: 0, update: 0, recreate: 0, skip: 0, conflict: 0, blocked: 0, delete: 0 },
  };
  for (const { action } of items) {
    counts[action] += 1;
  }
  return counts;
}
