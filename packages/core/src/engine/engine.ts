import type { PlanBackupOptions } from '../backup/plan-options.ts';
import type { BackupOptions, BackupRequest, BackupResult } from '../backup/request.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupPlan } from '../model/backup-plan.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupItemAction, RestoreItemAction } from '../ports/item-action.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import type { PlanRestoreOptions } from '../restore/plan-restore.ts';
import type { RestoreOptions, RestoreRequest, RestoreResult } from '../restore/request.ts';
import type { DeleteBackupOptions, DeleteBackupResult } from '../retention/delete-request.ts';
import type { ExpireOptions, ExpireResult } from '../retention/expire-backups.ts';
import type { FindLeftoversOptions } from '../retention/find-leftovers.ts';
import type { Leftover } from '../retention/leftover.ts';
import type { LeftoverOutcome } from '../retention/remove-leftovers.ts';
import type { SyncSnapshotsOptions, SyncSnapshotsResult } from '../retention/sync-request.ts';
import type { VerifyOptions, VerifyResult } from '../retention/verify-request.ts';

/** What an engine works with. It owns none of it: close the cluster and the store yourself. */
export interface EngineOptions {
  readonly cluster: Cluster;
  /** Runs hooks in pods; without it a request that asks for hooks is refused, and the hooks of a pod's annotations fail. */
  readonly podExec?: PodExec | undefined;
  readonly store: ObjectStore;
  /** @default silent */
  readonly logger?: Logger | undefined;
  /** @default the system's clock */
  readonly clock?: Clock | undefined;
  readonly concurrency?: EngineConcurrency | undefined;
  readonly timeouts?: EngineTimeouts | undefined;
  /** Run besides the built-in ones, in order of name. */
  readonly backupItemActions?: readonly BackupItemAction[] | undefined;
  /** Run besides the built-in ones, in order of name; one with the name of a built-in action takes its place. */
  readonly restoreItemActions?: readonly RestoreItemAction[] | undefined;
  /**
   * Accept a store that cannot create conditionally, where two writers of one backup name may overwrite each other.
   * @default false
   */
  readonly allowUnsafeConcurrentWriters?: boolean | undefined;
}

/** How much an engine does at a time. */
export interface EngineConcurrency {
  /** Snapshots of one CSI driver being taken. @default 8 */
  readonly snapshotsPerDriver?: number | undefined;
  /**
   * Pods whose hooks hold an application while their volumes are snapshotted, those that share a volume counted as one; in a restore,
   * pods that run their hooks. @default 4
   */
  readonly hookedPods?: number | undefined;
  /**
   * Lists of a backup being read: that of the resource whose objects are stored, and those whose turn is next. Of each of these one page
   * of 500 objects is in memory, of that one two. @default 4
   */
  readonly lists?: number | undefined;
  /**
   * Objects of a backup for which `backupItemActions` run: that whose turn it is to be stored, and those whose turn is next. Each is in
   * memory. @default 8
   */
  readonly itemActions?: number | undefined;
  /**
   * Objects being restored; fewer while the API server is overloaded. As many as the connections of `connectKubeConfig`: more would wait
   * for one. An API server on two idle cores created 1,000 objects in 1.13 s at 8 at a time, in 1.08 s at 16 and in 1.02 s at 64.
   * @default 16
   */
  readonly restoredObjects?: number | undefined;
  /** Snapshots of a backup being freed. @default 8 */
  readonly releasedSnapshots?: number | undefined;
}

/**
 * How long an engine waits, in milliseconds, beside what a backup says itself: `spec.csiSnapshotTimeout` until a snapshot is
 * cut, `spec.itemOperationTimeout` from then until it is ready.
 */
export interface EngineTimeouts {
  /**
   * How long an error of a CSI driver may stand before it fails the snapshot; the sidecar calls the driver again meanwhile. A
   * driver that is busy or does not answer is waited for as long as `spec.csiSnapshotTimeout`. @default 40000
   */
  readonly snapshotErrorGraceMs?: number | undefined;
  /** After how long without a cut snapshot a backup looks into why and reports `snapshotDelayed`. @default 30000 */
  readonly snapshotDiagnosisMs?: number | undefined;
  /** How long the removal of one snapshot's objects may take. @default 30000 */
  readonly snapshotCleanUpMs?: number | undefined;
}

/** Backs up and restores. Calls may run concurrently; each has its own signal and events. */
export interface Engine {
  /** The backups in the store. */
  readonly catalog: BackupCatalog;

  /**
   * Backs up namespaces with their CSI volumes.
   *
   * - The name is taken in the store before the cluster is touched; a backup becomes visible only when it is complete.
   * - Problems of single objects or volumes are issues of the result, whose phase is then `PartiallyFailed`.
   * - Aborted or failed: the snapshots taken are freed, what was written is removed, and the call rejects.
   *
   * @throws {ValidationError} the request is not valid; nothing was touched.
   * @throws {LifeboatError} code AlreadyExists when the store has a backup of that name, or a run is writing one.
   * @throws {LifeboatError} code Unsupported when the store cannot create conditionally.
   * @throws {LifeboatError} the first failure when not a single object could be stored.
   */
  backup(request: BackupRequest, options?: BackupOptions): Promise<BackupResult>;

  /**
   * Tells what {@link Engine.backup} would do with the same request, by the same code: every object with the reason why it would go
   * in, every volume and how, the hooks, and what can be known of warnings and errors. The plan is a JSON value.
   *
   * - Only reads: nothing is created, changed or deleted, neither in the cluster nor in the store; the name is not taken, and no hook
   *   is run. Item actions are run, with a cluster that refuses to write.
   * - The plan is of the moment: what changes until the backup runs changes the backup.
   * - What would make the backup reject as a whole is in `refusals`, or is phase `Failed`.
   * - Memory grows with the names of the objects, not with their content. Aborted: rejects with `signal.reason`.
   *
   * @throws {ValidationError} the request is not valid.
   * @throws {ClusterError} when the cluster cannot be read at all.
   * @throws {ObjectStoreError} when the store cannot tell whether the name is taken.
   */
  planBackup(request: BackupRequest, options?: PlanBackupOptions): Promise<BackupPlan>;

  /**
   * Restores from a backup of Lifeboat or Velero, into the same namespaces or mapped ones, in this or another cluster.
   *
   * - Nothing is created before the whole archive has been read and found sound.
   * - Volumes come back from their storage snapshots, through a static VolumeSnapshotContent and VolumeSnapshot, which are
   *   removed once the claim is bound.
   * - What exists already is left as it is, unless `spec.existingResourcePolicy` or `options.existingObjects` says otherwise.
   *   `rollback` is refused without a plan, since it deletes what the backup does not have.
   * - Given a plan of {@link Engine.planRestore}, which may have been stored as JSON: it plans again, and carries the plan out if
   *   nothing would be done otherwise; what changes during the restore is left alone. Of the options of the plan, functions have to be
   *   given again.
   * - Repeated, after a crash for example: what is there and the same is left alone, the rest is restored.
   * - Aborted: no more objects are created; what was created stays, labelled `velero.io/restore-name`.
   *
   * @throws {ValidationError} the request is not valid; nothing was touched.
   * @throws {LifeboatError} code NotFound when there is no such backup, CorruptBackup when it cannot be read, Conflict when its
   * deletion has begun, Unsupported when its format is not known, TargetChanged when the cluster or the backup is not as it was when the plan was made; nothing was touched.
   */
  restore(request: RestoreRequest | RestorePlan, options?: RestoreOptions): Promise<RestoreResult>;

  /**
   * Tells what {@link Engine.restore} would do with the same request, by the same code: for every object what would be done and why,
   * what each step on the way changes of it, how it differs from what is there, how volumes would come back, and what the target
   * lacks. The plan is a JSON value, to be looked at, stored, and given to `restore`.
   *
   * - Only reads: nothing is created, changed or deleted, neither in the cluster nor in the store; no hook is run. Item actions are run,
   *   with a cluster that refuses to write. With `dryRun: 'server'` the API server is asked too.
   * - What would be made counts as there: namespaces, classes, definitions, accounts, volumes.
   * - Memory grows with names and differences, not with the content of objects. Aborted: rejects with `signal.reason`.
   *
   * @throws as `restore` does before it touches anything.
   */
  planRestore(request: RestoreRequest, options?: PlanRestoreOptions): Promise<RestorePlan>;

  /**
   * Reads a backup whole and tells whether it can be restored: every file against the digests it was written with, every object,
   * and every storage snapshot in its storage. Of a backup made by Velero, which keeps no digests, it sees whether all of it can
   * be read.
   *
   * - What is wrong is an issue of the result, never an error of the call. Nothing is changed but that for each snapshot a temporary
   *   VolumeSnapshotContent stands in the cluster.
   * - Aborted: rejects with `signal.reason`, with nothing left behind.
   *
   * @throws {LifeboatError} code NotFound when there is no such backup, CorruptBackup when its description cannot be read.
   */
  verify(name: string, options?: VerifyOptions): Promise<VerifyResult>;

  /**
   * Frees a backup's storage snapshots, several at a time, then deletes its files and those of its restores.
   *
   * - Missing is success: a call that failed, or whose process died, can be repeated until it resolves.
   * - A snapshot that another backup of the store refers to is kept, and told in the result.
   * - Nothing is touched before the backup was found fit to be deleted and the store let itself be written to.
   * - Aborted: a snapshot is freed or it stays; the backup stays in the catalog unless all were freed.
   *
   * @throws {LifeboatError} code SnapshotFailed when a snapshot could not be freed; the backup then stays in the catalog.
   * @throws {ClusterError} code Forbidden when the user may not even look at snapshot objects; nothing was touched.
   * @throws {LifeboatError} code Conflict when the backup may be being written, Unsupported when it has data that only Velero
   * can free, CorruptBackup when it cannot be read which snapshots it has; nothing was touched.
   * @throws {ObjectStoreError} code PermissionDenied or Retained when the store does not let it be deleted.
   * @throws {ValidationError} when the name cannot be a backup's.
   */
  deleteBackup(name: string, options?: DeleteBackupOptions): Promise<DeleteBackupResult>;

  /**
   * Deletes, as {@link Engine.deleteBackup} does, the backups whose `status.expiration` has passed, one after another.
   *
   * - A backup without expiration, and one that is not complete, is never touched.
   * - What is kept or fails is told in the result and does not stop the others; the next call tries again.
   * - Repeated: goes on where an earlier call stopped. Aborted: rejects after the backup in hand has come to a safe point.
   *
   * @throws {ObjectStoreError} when the backups cannot be listed.
   */
  expire(options?: ExpireOptions): Promise<ExpireResult>;

  /**
   * Makes this cluster show the snapshots of the backups in the store, for people and programs that look for them there: for each
   * a VolumeSnapshotContent with policy `Retain` that is bound to nothing. Removes those of backups that have gone from the store.
   * A restore does not need them. The store is only read.
   *
   * - Only snapshots of complete backups whose CSI driver this cluster has, and that it does not know otherwise.
   * - Touches no object that was not made by a sync from this store, and never a storage snapshot.
   * - Repeated or concurrent: the same contents are found, not made twice. A content that fails is an issue.
   * - Aborted: rejects with `signal.reason`; what was made is found by the next call.
   *
   * @throws {LifeboatError} code Unsupported when the cluster has no VolumeSnapshot API.
   * @throws {ClusterError} when the cluster cannot be read.
   * @throws {ObjectStoreError} when the store cannot be read.
   */
  syncSnapshots(options?: SyncSnapshotsOptions): Promise<SyncSnapshotsResult>;

  /**
   * Finds what runs that were killed have left in the store and in the cluster, and says of each why it is there and what its
   * removal would do. Changes nothing.
   *
   * - Only objects with labels of Lifeboat or Velero, and nothing that changed within `minimumAgeMs`.
   * - A snapshot that a complete backup of the store refers to is never to be freed, only its objects removed.
   * - What belongs to a backup that the store does not know is reported with action `None`.
   *
   * @throws {ObjectStoreError} when the store cannot be read, and CorruptBackup when a backup in it cannot: without them
   * nobody knows what is needed.
   * @throws {ClusterError} when the cluster cannot be read.
   */
  findLeftovers(options?: FindLeftoversOptions): Promise<readonly Leftover[]>;

  /**
   * Removes leftovers, all or some of what {@link Engine.findLeftovers} returned, and tells in their order what became of each.
   *
   * - Looks at store and cluster again first; what has changed since it was found is left alone.
   * - What fails does not stop the others. Repeated: what is gone already is `Changed`.
   * - Aborted: rejects with `signal.reason`; what is half done is found again.
   *
   * @throws as `findLeftovers` does, with nothing removed.
   */
  removeLeftovers(
    leftovers: readonly Leftover[],
    options?: CallOptions,
  ): Promise<readonly LeftoverOutcome[]>;
}
