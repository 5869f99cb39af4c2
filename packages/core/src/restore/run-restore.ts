import { readArtifactList } from '../catalog/backup-files.ts';
import { RunLog } from '../catalog/run-log.ts';
import { discoveryIssues } from '../discovery/discovery-issues.ts';
import { AbortScope } from '../internal/abort-scope.ts';
import { safeListener } from '../internal/safe-listener.ts';
import type { Backup } from '../model/backup.ts';
import { compareCodePoints } from '../model/json.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import { createBuiltInActions } from './actions/built-in-actions.ts';
import type { AfterCreation } from './after-creation.ts';
import { ArchivedVolumes } from './archived-volumes.ts';
import type { BackupContents } from './backup-contents.ts';
import { ClaimRestorer } from './claim-restorer.ts';
import { settleClaims } from './claim-settlement.ts';
import { entriesToRestore } from './entries-to-restore.ts';
import { findBackup, withUnusedName } from './find-backup.ts';
import { RestoreHooks } from './hooks/restore-hooks.ts';
import { ItemRestorer } from './item-restorer.ts';
import { createItemSelection } from './item-selection.ts';
import { ItemWriter } from './item-writer.ts';
import { ListedSnapshots } from './listed-snapshots.ts';
import { actionStep } from './prepare-item.ts';
import { readBackupContents } from './read-backup.ts';
import {
  acceptRestoreRequest,
  type RestoreOptions,
  type RestoreRequest,
  type RestoreResult,
} from './request.ts';
import { finishRestore, writeRestoreFiles } from './restore-completion.ts';
import { restoreItems } from './restore-items.ts';
import { RestoreRecord } from './restore-record.ts';
import { TargetNamespaces } from './target-namespaces.ts';
import { TargetResources } from './target-resources.ts';

/** What a restore needs from the outside; every default is filled in. */
export interface RestoreDependencies {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The actions that the application adds to the built-in ones. */
  readonly actions: readonly RestoreItemAction[];
  /** Objects of one resource that are restored at a time. */
  readonly concurrency: number;
  /** Absent: a request with exec hooks is refused, and the hooks of annotations fail. */
  readonly podExec?: PodExec | undefined;
  /** Pods that run their hooks at a time. @default 4 */
  readonly hookedPods?: number | undefined;
}

/**
 * Runs one restore from request to result: reads the whole backup before anything is created, restores its objects in the
 * order in which they need each other, waits until the claims have their volumes, and writes down what it did.
 *
 * What was created when a restore fails or is aborted stays, labelled with the restore's name.
 */
export async function runRestore(
  dependencies: RestoreDependencies,
  request: RestoreRequest,
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  const { cluster, store, clock, logger } = dependencies;
  options.signal?.throwIfAborted();
  const accepted = await withUnusedName(
    store,
    acceptRestoreRequest(request, clock.now(), dependencies),
    {
      isDefault: request.name === undefined,
      signal: options.signal,
    },
  );
  const { name, namespace = '' } = accepted.metadata;
  const log = new RunLog(logger, clock, { restore: `${namespace}/${name}` });
  const emit = safeListener(options.onEvent, log);
  const record = new RestoreRecord(emit, log);
  using scope = new AbortScope(options.signal);
  const { signal } = scope;

  emit({ type: 'phase', phase: 'Reading' });
  const backup = await findBackup(store, accepted, record, { signal });
  const resources = await TargetResources.load(cluster, { signal });
  discoveryIssues(resources.failures).forEach((issue) => record.addIssue(issue));
  await using contents = await readBackupContents({
    store,
    backupName: backup.metadata.name,
    selection: createItemSelection(accepted.spec, (resource) => resources.canonicalName(resource)),
    record,
    tempDirectory: options.tempDirectory,
    signal,
  });
  const volumes = await archivedVolumes(store, accepted, backup, contents, signal);
  log.info('restore started', { backup: backup.metadata.name, store: store.location });

  emit({ type: 'phase', phase: 'Restoring' });
  const run: RestoreRun = {
    restore: accepted,
    backup,
    contents,
    volumes,
    resources,
    record,
    signal,
  };
  await using hooks = new RestoreHooks({
    ...{ ...run, cluster, clock, logger: log },
    podExec: dependencies.podExec,
    hookedPods: dependencies.hookedPods ?? 4,
    hookWaitTimeoutMs: options.hookWaitTimeoutMs ?? 600_000,
  });
  const claims = await restoreEntries(dependencies, options, run, [hooks.afterCreation]);

  emit({ type: 'phase', phase: 'WaitingForClaims' });
  await awaitClaims(dependencies, options, run, claims);
  await hooks.settle();

  emit({ type: 'phase', phase: 'Finalizing' });
  const completedAt = clock.now();
  const finished = finishRestore(accepted, record, completedAt);
  log.info('restore finished', { phase: finished.status.phase, objects: record.done });
  await writeRestoreFiles({ store, restore: finished, record, log, signal });
  return {
    restore: finishRestore(accepted, record, completedAt),
    issues: record.issues,
    hooks: record.hooks,
  };
}

interface RestoreRun {
  readonly restore: Restore;
  readonly backup: Backup;
  readonly contents: BackupContents;
  readonly volumes: ArchivedVolumes;
  readonly resources: TargetResources;
  readonly record: RestoreRecord;
  readonly signal: AbortSignal;
}

/** Restores what was selected; resolves with the restorer of the claims, which knows which were created. */
async function restoreEntries(
  { cluster, clock, actions, concurrency }: RestoreDependencies,
  {
    namespaceTimeoutMs = 600_000,
    snapshotImportTimeoutMs = 120_000,
    allowVolumeModeChange,
  }: RestoreOptions,
  run: RestoreRun,
  afterCreation: readonly AfterCreation[],
): Promise<ClaimRestorer> {
  const { contents, volumes, signal } = run;
  const shared = { ...run, cluster, clock };
  const targetNamespaces = new TargetNamespaces({ ...shared, timeoutMs: namespaceTimeoutMs });
  const writer = new ItemWriter(shared);
  const claims = new ClaimRestorer({
    ...shared,
    writer,
    snapshotImportTimeoutMs,
    allowVolumeModeChange,
  });
  const items = new ItemRestorer({
    ...shared,
    namespaces: targetNamespaces,
    writer,
    claims,
    steps: [...createBuiltInActions(volumes, run.restore.spec), ...actions]
      .sort((left, right) => compareCodePoints(left.name, right.name))
      .map(actionStep),
    afterCreation,
  });
  const entries = await entriesToRestore(contents, volumes, signal);
  try {
    await restoreItems({ ...shared, entries, items, targetNamespaces, concurrency });
  } catch (error) {
    await claims.removeGroupStubs();
    throw error;
  }
  return claims;
}

async function awaitClaims(
  { cluster, clock }: RestoreDependencies,
  { claimBoundTimeoutMs = 600_000, importedSnapshots = 'remove' }: RestoreOptions,
  run: RestoreRun,
  claims: ClaimRestorer,
): Promise<void> {
  try {
    await settleClaims({
      ...run,
      cluster,
      clock,
      claims: claims.created,
      timeoutMs: claimBoundTimeoutMs,
      importedSnapshots,
    });
  } finally {
    await claims.removeGroupStubs();
  }
}

async function archivedVolumes(
  store: ObjectStore,
  { spec }: Restore,
  backup: Backup,
  contents: BackupContents,
  signal: AbortSignal,
): Promise<ArchivedVolumes> {
  return new ArchivedVolumes({
    contents,
    spec,
    volumeInfo: await readArtifactList(store, spec.backupName, 'volumeInfo', { signal }),
    listed: new ListedSnapshots(store, spec.backupName, signal),
    movesData: backup.spec.snapshotMoveData === true,
  });
}
