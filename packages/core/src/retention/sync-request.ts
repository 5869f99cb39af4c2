import type { Issue } from '../model/issue.ts';
import type { CallOptions } from '../ports/object-store.ts';

/** Options of the engine's `syncSnapshots`. */
export interface SyncSnapshotsOptions extends CallOptions {
  /** Only tell what would be done; nothing is changed in the cluster. @default false */
  readonly dryRun?: boolean | undefined;
}

/** A VolumeSnapshotContent that stands in the cluster for a snapshot of a backup. */
export interface SyncedSnapshot {
  readonly backupName: string;
  readonly driver: string;
  readonly snapshotHandle: string;
  readonly volumeSnapshotContentName: string;
}

/**
 * Why nothing was done about a snapshot.
 *
 * - `DriverMissing`: the cluster does not have its CSI driver.
 * - `AlreadyPresent`: the cluster has a content for it that was not made by a sync, as where the backup kept it.
 * - `BeingReleased`: it is being freed.
 * - `NameTaken`: a content of that name exists which the sync did not make, or which is being deleted.
 * - `BackupUnreadable`: the backup it was made for cannot be read, so that it is not known whether it is still needed.
 * - `PolicyChanged`: the backup is gone, but somebody gave the content another deletion policy than `Retain`: deleting it would free
 *   the snapshot.
 */
export type SyncSkipReason =
  | 'DriverMissing'
  | 'AlreadyPresent'
  | 'BeingReleased'
  | 'NameTaken'
  | 'BackupUnreadable'
  | 'PolicyChanged';

/** A snapshot about which nothing was done. */
export interface SkippedSnapshot extends SyncedSnapshot {
  readonly reason: SyncSkipReason;
}

/** What a sync did, or in a dry run would do. */
export interface SyncSnapshotsResult {
  readonly created: readonly SyncedSnapshot[];
  /** Of backups that are no longer in the store. */
  readonly removed: readonly SyncedSnapshot[];
  /** What an earlier sync made, and is still needed. */
  readonly kept: readonly SyncedSnapshot[];
  readonly skipped: readonly SkippedSnapshot[];
  /** Warnings about backups that cannot be read, errors about contents that could not be created or deleted. */
  readonly issues: readonly Issue[];
}
