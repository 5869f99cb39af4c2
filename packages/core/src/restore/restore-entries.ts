import { AdaptivePool } from '../internal/adaptive-pool.ts';
import { ConcurrencyWindow } from '../internal/concurrency-window.ts';
import { DeletionObserver } from '../internal/deletion-observer.ts';
import type { Backup } from '../model/backup.ts';
import { compareCodePoints } from '../model/json.ts';
import type { Restore } from '../model/restore.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { ImportObserver } from '../snapshot/import-observer.ts';
import { createBuiltInActions } from './actions/built-in-actions.ts';
import { AdditionalItems, type AdditionalItemsOptions } from './additional-items.ts';
import type { ArchivedVolumes } from './archived-volumes.ts';
import type { BackupContents } from './backup-contents.ts';
import { ClaimOutlooks } from './claim-outlooks.ts';
import { ClaimRestorer } from './claim-restorer.ts';
import { keptToPlan } from './confirm-plan.ts';
import { createNeeds, entriesToRestore } from './entries-to-restore.ts';
import { existingObjectsPolicy } from './existing-objects-policy.ts';
import { ItemDecider, type ItemDeciderOptions } from './item-decider.ts';
import type { ItemHandler } from './item-handler.ts';
import { ItemRestorer, type ItemRestorerOptions } from './item-restorer.ts';
import type { ItemSelection } from './item-selection.ts';
import { ItemWriter } from './item-writer.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import { mappingActions, type ObjectChanges, objectChangeSteps } from './object-changes.ts';
import { pacedCluster } from './paced-cluster.ts';
import { actionStep, type PreparationStep } from './prepare-item.ts';
import type { RestoreOptions } from './request.ts';
import { restoreItems } from './restore-items.ts';
import type { RestoreRecord } from './restore-record.ts';
import { waitForDefinitions } from './restored-definitions.ts';
import type { RollbackScope } from './rollback-scope.ts';
import { takenNodePortsStep } from './taken-node-ports.ts';
import { TargetNamespaces } from './target-namespaces.ts';
import type { TargetResources } from './target-resources.ts';
import { type WaveOrder, waveOrderOf } from './waves.ts';

/** What a restore knows once the backup has been read. */
export interface RestoreRun {
  readonly restore: Restore;
  readonly backup: Backup;
  readonly contents: BackupContents;
  readonly volumes: ArchivedVolumes;
  readonly changes: ObjectChanges;
  readonly resources: TargetResources;
  readonly selection: Pick<ItemSelection, 'letsIn'>;
  /** Present for a rollback. */
  readonly rollback?: RollbackScope | undefined;
  readonly record: RestoreRecord;
  readonly signal: AbortSignal;
}

/** What {@link restoreEntries} works with. */
export interface RestoreEntriesDependencies {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** The actions that the application adds to the built-in ones. */
  readonly actions: readonly RestoreItemAction[];
  /** Objects that are restored at a time, at most. */
  readonly concurrency: number;
}

/** What goes with the restoring of entries. */
export interface RestoreAftermath
  extends Pick<ItemRestorerOptions, 'afterCreation' | 'onExisting'> {
  readonly beginOperation: ItemDeciderOptions['beginOperation'];
  /** The plan that is carried out; what is not as it says is left alone. */
  readonly plan?: RestorePlan | undefined;
}

/** Restores what was selected; resolves with the restorer of the claims, which knows which were created. */
export async function restoreEntries(
  dependencies: RestoreEntriesDependencies,
  options: RestoreOptions,
  run: RestoreRun,
  { plan, beginOperation, ...aftermath }: RestoreAftermath,
): Promise<ClaimRestorer> {
  const { clock } = dependencies;
  const { contents, volumes, resources, record, restore, signal } = run;
  const window = new ConcurrencyWindow(dependencies.concurrency);
  const cluster = pacedCluster({ cluster: dependencies.cluster, clock, window });
  const { maximumWaitingObjects: maximumPaused = 1_000 } = options;
  const pool = new AdaptivePool(window, { maximumPaused });
  await using imports = new ImportObserver({ cluster, restoreName: restore.metadata.name });
  await using deletions = new DeletionObserver(cluster);
  const shared = { ...run, cluster, clock, pool, deletions };
  const { namespaceTimeoutMs = 600_000, snapshotImportTimeoutMs = 120_000 } = options;
  const { recreateTimeoutMs = 120_000, allowVolumeModeChange } = options;
  const namespaces = new TargetNamespaces({ ...shared, timeoutMs: namespaceTimeoutMs });
  const writer = new ItemWriter({ ...shared, recreateTimeoutMs });
  const outlooks = new ClaimOutlooks(shared);
  const claims = new ClaimRestorer({
    ...{ ...shared, outlooks, writer, imports },
    snapshotImportTimeoutMs,
    allowVolumeModeChange,
  });
  const decider = new ItemDecider({
    ...shared,
    outlooks,
    ensureNamespace: (namespace, itemSignal) => namespaces.ensure(namespace, itemSignal),
    steps: preparationSteps(dependencies, run),
    restoreBefore: restoreBefore(dependencies, () => additional),
    beginOperation,
    policy: existingObjectsPolicy(restore.spec, options),
    lookUp: plan === undefined ? 'when needed' : 'always',
    confirm: plan && keptToPlan(plan),
  });
  const items = new ItemRestorer({ cluster, decider, writer, claims, ...aftermath, record });
  const handler = itemHandler(namespaces, items, shared);
  const entries = await entriesToRestore(contents, volumes, restore.spec, signal);
  const additional = additionalItems(dependencies, { ...shared, entries, handler });
  try {
    const order = waveOrder(options, resources);
    await restoreItems({ ...shared, entries, handler: additional ?? handler, order });
  } catch (error) {
    await claims.removeGroupStubs();
    throw error;
  }
  return claims;
}

function itemHandler(
  namespaces: TargetNamespaces,
  items: ItemRestorer,
  run: Pick<RestoreRun, 'restore' | 'resources' | 'signal'> &
    Pick<RestoreEntriesDependencies, 'cluster' | 'clock'>,
): ItemHandler {
  return {
    beginNamespace: (namespace) => namespaces.begin(namespace),
    ensureNamespace: (namespace, signal) => namespaces.ensure(namespace, signal),
    isNew: (namespace) => namespaces.isNew(namespace),
    handle: (entry, live, signal) => items.restore(entry, live, signal),
    definitionsHandled: async ({ changed, names }) => {
      const { resources, restore } = run;
      const missing = names.filter((name) => changed.includes(name) || !resources.serves(name));
      if (missing.length > 0) {
        const restoreName = restore.metadata.name;
        await waitForDefinitions({ ...run, restoreName, changed, names: missing });
      }
    },
  };
}

/**
 * What every object goes through on its way into the target, in this order. An action of the application takes the place of the
 * built-in one with its name.
 */
export function preparationSteps(
  { actions }: Pick<RestoreEntriesDependencies, 'actions'>,
  { volumes, restore, changes }: Pick<RestoreRun, 'volumes' | 'restore' | 'changes'>,
): readonly PreparationStep[] {
  const builtIn = [...createBuiltInActions(volumes, restore.spec), ...mappingActions(changes)];
  const byName = new Map([...builtIn, ...actions].map((action) => [action.name, action]));
  const inOrder = [...byName.values()].sort((left, right) =>
    compareCodePoints(left.name, right.name),
  );
  return [...inOrder.map(actionStep), ...objectChangeSteps(changes), takenNodePortsStep];
}

/** How an item action has objects restored before another; `undefined` when there is none that might. */
export function restoreBefore(
  { actions }: Pick<RestoreEntriesDependencies, 'actions'>,
  additional: () => AdditionalItems | undefined,
): ItemDeciderOptions['restoreBefore'] {
  return actions.length === 0
    ? undefined
    : async (...request) => (await additional()?.restoreBefore(...request)) ?? [];
}

/** What item actions may ask for; `undefined` when there is none that might. */
export function additionalItems(
  { actions }: Pick<RestoreEntriesDependencies, 'actions'>,
  run: Pick<RestoreRun, 'contents' | 'volumes' | 'restore' | 'resources' | 'selection' | 'record'> &
    Pick<AdditionalItemsOptions, 'entries' | 'handler' | 'pool' | 'clock'>,
): AdditionalItems | undefined {
  const { contents, volumes, restore, resources } = run;
  return actions.length === 0
    ? undefined
    : new AdditionalItems({
        ...run,
        canonicalName: (name) => resources.canonicalName(name),
        targetNamespaceOf: (namespace) => targetNamespaceOf(restore.spec, namespace),
        neededBy: createNeeds(contents, volumes, restore.spec),
      });
}

/** The order that the options ask for; `undefined` for the default one. */
export function waveOrder(
  { resourcePriorities }: Pick<RestoreOptions, 'resourcePriorities'>,
  resources: TargetResources,
): WaveOrder | undefined {
  return (
    resourcePriorities &&
    waveOrderOf(
      resourcePriorities.map((name) => (name === '-' ? name : resources.canonicalName(name))),
    )
  );
}
