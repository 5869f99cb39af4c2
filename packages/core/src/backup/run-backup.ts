import { randomUUID } from 'node:crypto';

import { writeArchive } from '../archive/archive-writer.ts';
import { ArchiveIndexFile } from '../catalog/artifacts/archive-index-file.ts';
import { claimBackup } from '../catalog/backup-claim.ts';
import { backupKey } from '../catalog/key-layout.ts';
import { RunFiles } from '../catalog/run-files.ts';
import { RunLog } from '../catalog/run-log.ts';
import { isLifeboatError, messageOf, ObjectStoreError } from '../errors.ts';
import { AbortScope } from '../internal/abort-scope.ts';
import { safeListener } from '../internal/safe-listener.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { Backup } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import type { ItemOperations } from '../operations/item-operations.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import type { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import { acceptBackup } from './accept-backup.ts';
import { finishBackup, writeBackupFiles } from './backup-completion.ts';
import { createBackupOperations } from './backup-operations.ts';
import { BackupRecord } from './backup-record.ts';
import { scopeOf } from './backup-scope.ts';
import type { EffectivePolicy } from './find-resource-policy.ts';
import { ItemUpdates } from './item-updates.ts';
import {
  type BackupOptions,
  type BackupRequest,
  type BackupResult,
  itemOperationLimits,
  withSourceVersion,
} from './request.ts';
import { storeItems } from './store-items.ts';
import { VolumeBackups } from './volume-backups.ts';
import { VolumeDemands } from './volume-demands.ts';

/** What a backup needs from the outside; every default is filled in. */
export interface BackupDependencies {
  readonly cluster: Cluster;
  /** Absent: hooks cannot be run. */
  readonly podExec?: PodExec | undefined;
  /** How many pods with hooks are backed up at a time. */
  readonly hookedPods: number;
  /** How many lists are read at a time. */
  readonly lists: number;
  readonly store: ObjectStore;
  readonly snapshotter: VolumeSnapshotter;
  readonly actions: readonly BackupItemAction[];
  /** Those of them that may take long. */
  readonly slowActions: readonly BackupItemAction[];
  /** For how many objects these run at a time. */
  readonly itemActions: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly allowUnsafeConcurrentWriters: boolean;
}

// How long cleaning up after a failed or cancelled run may take: it runs under its own deadline, since the caller's signal
// has aborted already.
const cleanUpTimeoutMs = 60_000;

/**
 * Runs one backup from request to result: takes the name, finds out what there is, streams the objects into the archive
 * while the snapshots are taken, writes the files beside it and, last and once, `velero-backup.json`.
 *
 * Until that last file is written a failure or an abort undoes everything: snapshots, files, and the name.
 */
export async function runBackup(
  dependencies: BackupDependencies,
  request: BackupRequest,
  options: BackupOptions = {},
): Promise<BackupResult> {
  const { clock, store, logger, allowUnsafeConcurrentWriters } = dependencies;
  const { signal, snapshotObjects = 'remove' } = options;
  signal?.throwIfAborted();
  const startedAt = clock.now();
  const { backup: accepted, policy } = await acceptBackup(
    dependencies,
    request,
    options,
    startedAt,
  );
  const { name } = accepted.metadata;
  const runId = randomUUID();
  const log = new RunLog(logger, clock, { backup: `${accepted.metadata.namespace ?? ''}/${name}` });
  const emit = safeListener(options.onEvent, log);

  emit({ type: 'phase', phase: 'Claiming' });
  await claimBackup(
    store,
    { name, runId, startedAt, allowUnsafeConcurrentWriters, logger: log },
    { signal },
  );

  using scope = new AbortScope(signal);
  const files = new RunFiles(store, { name, runId, uid: accepted.metadata.uid });
  const record = new BackupRecord(emit, log);
  const { volumePolicies } = policy;
  const shared = {
    ...{ ...dependencies, ...options, backup: accepted, volumePolicies, record, runId },
    ...{ onEvent: emit, logger: log, signal: scope.signal },
  };
  const volumes = new VolumeBackups(shared);
  const operations = createBackupOperations({ ...shared, ...itemOperationLimits(options) });
  try {
    const run: BackupRun = {
      ...{ options, policy, files, record, volumes, operations, log, emit },
      signal: scope.signal,
    };
    const backup = await produceBackup(dependencies, accepted, run);
    using deadline = withDeadline(undefined, cleanUpTimeoutMs, clock);
    await volumes.settle(snapshotObjects, deadline.signal);
    const { skipped, volumeGroups, hooks, issues } = record;
    return { backup, skipped, volumeGroups, hooks, issues };
  } catch (error) {
    scope.abort(error);
    log.info('undoing what the backup has made');
    await undo(dependencies, name, { files, volumes, operations });
    throw error;
  } finally {
    await volumes.close();
  }
}

interface BackupRun {
  readonly options: BackupOptions;
  readonly policy: EffectivePolicy;
  readonly files: RunFiles;
  readonly record: BackupRecord;
  readonly log: RunLog;
  readonly volumes: VolumeBackups;
  readonly operations: ItemOperations;
  readonly emit: (event: BackupEvent) => void;
  readonly signal: AbortSignal;
}

async function produceBackup(
  dependencies: BackupDependencies,
  accepted: Backup,
  { options, policy, files, record, volumes, operations, log, emit, signal }: BackupRun,
): Promise<Backup> {
  const { cluster, podExec, hookedPods, lists, clock } = dependencies;
  const { actions, slowActions, itemActions } = dependencies;
  const { name } = accepted.metadata;
  const { store } = files;
  const version = await cluster.version({ signal });
  const scope = await scopeOf({
    cluster,
    backup: withSourceVersion(accepted, version),
    policy: policy.includeExcludePolicy,
    include: options.include,
    record,
    signal,
  });
  log.info('backup started', { kubernetes: version.gitVersion, store: store.location });

  emit({ type: 'phase', phase: 'Collecting' });
  const index = new ArchiveIndexFile();
  const archive = await writeArchive(
    (body, archiveSignal) => putArchive(store, name, body, archiveSignal),
    (writer, archiveSignal) =>
      storeItems({
        cluster,
        archive: writer,
        demands: new VolumeDemands({
          ...{ cluster, policies: policy.volumePolicies, signal: archiveSignal },
        }),
        updates: new ItemUpdates(itemOperationLimits(options).maximumItemsToUpdate),
        ...{ actions, slowActions, itemActions, scope, record, volumes, operations },
        ...{ podExec, hookedPods, lists, clock, emit, logger: log },
        signal: archiveSignal,
      }),
    { modifiedAt: clock.now(), onPlace: (object) => index.add(object), signal },
  );
  emit({ type: 'uploaded', key: backupKey(name, 'archive') });

  emit({ type: 'phase', phase: 'Finalizing' });
  const backup = finishBackup(scope.backup, record, clock.now());
  log.info('backup finished', { phase: backup.status.phase, objects: record.stored });
  const legacySnapshots = options.legacyCsiFiles ? () => volumes.readySnapshots() : undefined;
  await writeBackupFiles({
    ...{ store, backup, archive, index, record, legacySnapshots, log, emit, signal },
  });
  return backup;
}

/** Stores the archive: the one file that is a stream, which neither a store nor a decorator sends again. */
async function putArchive(
  store: ObjectStore,
  name: string,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await store.put(backupKey(name, 'archive'), body, { contentType: 'application/gzip', signal });
  } catch (error) {
    const mayBeRepeated =
      isLifeboatError(error) && error.name === 'ObjectStoreError' && error.retryable;
    if (!mayBeRepeated || signal.aborted) {
      throw error;
    }
    const { message, code, operation, target, retryable, retryAfterMs } = error;
    throw new ObjectStoreError(
      `${message}; the archive of backup ${name} is a stream, which is not sent again: run the backup again, and if this happens often let the client of the store repeat its requests for longer`,
      { ...{ code, operation, target, retryable, retryAfterMs }, cause: error },
    );
  }
}

// What cannot be undone is logged, not thrown: the caller gets the error that stopped the run.
async function undo(
  { store, clock, logger }: BackupDependencies,
  name: string,
  { files, volumes, operations }: Pick<BackupRun, 'files' | 'volumes' | 'operations'>,
): Promise<void> {
  using deadline = withDeadline(undefined, cleanUpTimeoutMs, clock);
  // Foreign code, which must not eat up the time for the rest.
  using foreignDeadline = withDeadline(undefined, cleanUpTimeoutMs / 2, clock);
  await Promise.all([
    volumes.discard(deadline.signal),
    operations.discard('all', foreignDeadline.signal),
  ]);
  try {
    await files.abandon({ signal: deadline.signal });
  } catch (error) {
    logger.warn('files of an unfinished backup are left in the store', {
      backup: name,
      store: store.location,
      error: messageOf(error),
    });
  }
}
