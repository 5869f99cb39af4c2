import { randomUUID } from 'node:crypto';

import { foreseeClaim } from '../catalog/backup-claim.ts';
import type { LifeboatError } from '../errors.ts';
import { AbortScope } from '../internal/abort-scope.ts';
import { readonlyCluster } from '../internal/readonly-cluster.ts';
import { safeListener } from '../internal/safe-listener.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import type { BackupPlan, PlannedItem, PlanRefusal } from '../model/backup-plan.ts';
import type { HookCall, HookResult } from '../model/hook.ts';
import { compareCodePoints } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { terminalPhase } from '../model/phase.ts';
import { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import { type AcceptedBackup, acceptBackup } from './accept-backup.ts';
import { BackupRecord } from './backup-record.ts';
import { scopeOf } from './backup-scope.ts';
import { ItemUpdates } from './item-updates.ts';
import type { PlanBackupOptions } from './plan-options.ts';
import { PlanRecorder } from './plan-recorder.ts';
import { type BackupRequest, itemOperationLimits, withSourceVersion } from './request.ts';
import type { BackupDependencies } from './run-backup.ts';
import { storeSelected, storeSnapshotClass, storeUpdated } from './store-items.ts';
import { unexecutedCommands } from './unexecuted-commands.ts';
import { VolumeDemands } from './volume-demands.ts';
import { VolumePlanner } from './volume-planner.ts';

/** What a plan needs from the outside: what the backup would. The cluster and the store are only read, `podExec` is not called. */
export type PlanDependencies = Omit<BackupDependencies, 'snapshotter'>;

/**
 * Finds out what a backup would do, by the code that does it: the objects run through the same collector, filters and actions into
 * a list of names instead of an archive, and the claims through the same choices, of which none is carried out.
 */
export async function planBackup(
  dependencies: PlanDependencies,
  request: BackupRequest,
  { onEvent, ...options }: PlanBackupOptions = {},
): Promise<BackupPlan> {
  const { store, clock, logger, allowUnsafeConcurrentWriters } = dependencies;
  const { signal } = options;
  signal?.throwIfAborted();
  const reading = { ...dependencies, cluster: readonlyCluster(dependencies.cluster) };
  const accepted = await acceptBackup(reading, request, options, clock.now());
  const { name } = accepted.backup.metadata;
  const refusals = await foreseeClaim(store, { name, allowUnsafeConcurrentWriters }, { signal });
  const emit = safeListener(onEvent, logger);
  const record = new BackupRecord((event) => {
    if (event.type === 'progress' || event.type === 'issue') {
      emit(event);
    }
  }, silentLogger);
  const found = await planItems(reading, accepted, { options, record });
  emit({ type: 'progress', done: record.stored, total: record.stored });
  return {
    backupName: name,
    spec: found.spec,
    refusals: refusals.map(refusalOf),
    phase: phaseOf(record),
    items: found.items,
    skipped: record.skipped,
    counts: countsOf(found.items),
    volumes: found.volumes,
    volumeGroups: record.volumeGroups,
    hooks: record.hooks.filter(({ outcome }) => outcome === 'Succeeded').map(callOf),
    issues: record.issues,
  };
}

async function planItems(
  { cluster, podExec, hookedPods, lists, clock, ...dependencies }: PlanDependencies,
  { backup: accepted, policy }: AcceptedBackup,
  { options, record }: { readonly options: PlanBackupOptions; readonly record: BackupRecord },
): Promise<Pick<BackupPlan, 'spec' | 'items' | 'volumes'>> {
  using run = new AbortScope(options.signal);
  const { signal } = run;
  const { actions, slowActions, itemActions } = dependencies;
  const backup = withSourceVersion(accepted, await cluster.version({ signal }));
  const scope = await scopeOf({
    ...{ cluster, backup, record, signal },
    policy: policy.includeExcludePolicy,
    include: options.include,
  });
  const snapshotClasses = new Map<string, KubernetesObject>();
  const volumes = new VolumePlanner({
    ...options,
    ...{ cluster, backup: accepted, record, signal },
    volumePolicies: policy.volumePolicies,
    snapshotter: new VolumeSnapshotter({ cluster, clock }),
    runId: randomUUID(),
    onSnapshotClass: (found) => snapshotClasses.set(found.metadata.name, found),
  });
  const recorder = new PlanRecorder(scope);
  const updates = new ItemUpdates(itemOperationLimits(options).maximumItemsToUpdate);
  const backupper = await storeSelected(
    {
      ...{ cluster, hookedPods, lists, scope, record, volumes, clock, signal },
      podExec: podExec && unexecutedCommands(cluster),
      archive: recorder,
      demands: new VolumeDemands({ cluster, signal, policies: policy.volumePolicies }),
      ...{ actions, slowActions, itemActions, updates },
      onPulledAlong: (pull) => recorder.notePull(pull),
      logger: silentLogger,
      emit: () => undefined,
    },
    run,
  );
  for (const snapshotClass of snapshotClasses.values()) {
    await storeSnapshotClass(backupper, snapshotClass, record);
  }
  await storeUpdated(backupper, updates);
  volumes.reportStrangers();
  return { spec: scope.backup.spec, items: recorder.items, volumes: volumes.volumes };
}

function refusalOf({ code, message }: LifeboatError): PlanRefusal {
  return { code: code === 'Unsupported' ? code : 'AlreadyExists', message };
}

function phaseOf({ stored, errors }: BackupRecord): BackupPlan['phase'] {
  return stored === 0 && errors.length > 0 ? 'Failed' : terminalPhase(errors.length);
}

function countsOf(items: readonly PlannedItem[]): BackupPlan['counts'] {
  const counts = new Map<string, number>();
  for (const { groupResource } of items) {
    counts.set(groupResource, (counts.get(groupResource) ?? 0) + 1);
  }
  const sorted = [...counts].toSorted(([left], [right]) => compareCodePoints(left, right));
  return Object.fromEntries(sorted);
}

function callOf({
  stage,
  namespace,
  podName,
  containerName,
  command,
  hookName,
}: HookResult): HookCall {
  const call = { stage, namespace, podName, containerName, command };
  return hookName === undefined ? call : { ...call, hookName };
}
