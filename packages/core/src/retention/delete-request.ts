import type { DeletionEvent } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';

/** What a deletion needs from the outside. */
export interface DeleteBackupDependencies {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Snapshots that are freed at a time. */
  readonly concurrency: number;
}

/** Options of the engine's `deleteBackup`. */
export interface DeleteBackupOptions extends CallOptions {
  /** Only tell what would be done; nothing is changed in the store or the cluster. @default false */
  readonly dryRun?: boolean | undefined;
  /** How long the driver may take for each snapshot, in milliseconds. @default 120_000, 2 minutes */
  readonly releaseTimeoutMs?: number | undefined;
  /**
   * A backup that is not complete and was begun less than this ago, in milliseconds, is taken for one that is being written,
   * and is refused. Set 0 when you know that its run is dead. @default 86_400_000, a day
   */
  readonly assumeDeadAfterMs?: number | undefined;
  /**
   * Delete the files of a backup although it has data that only Velero can free, such as volumes in a kopia repository. That
   * data stays where it is, and with the files goes what leads to it. @default false
   */
  readonly leaveForeignData?: boolean | undefined;
  /** Told what happens; what it throws is logged and has no other effect. */
  readonly onEvent?: ((event: DeletionEvent) => void) | undefined;
}

/** What became of a storage snapshot of a backup. */
export interface DeletedSnapshot {
  readonly driver: string;
  readonly snapshotHandle: string;
  /**
   * `released`: the driver has deleted it. `notFound`: the driver did not find it, mostly because it was gone already, and its
   * deletion succeeded. `shared`: kept, because other backups refer to it. `wouldBeReleased`: in a dry run.
   */
  readonly state: 'released' | 'notFound' | 'shared' | 'wouldBeReleased';
  /** The other backups of the store that refer to it; empty unless it is `shared`. */
  readonly sharedWith: readonly string[];
}

/** What a deletion did, or in a dry run would do. */
export interface DeleteBackupResult {
  readonly backupName: string;
  /** Whether the store held anything of that name. */
  readonly found: boolean;
  readonly snapshots: readonly DeletedSnapshot[];
  /** The restores whose files went with the backup. */
  readonly restores: readonly string[];
  /** What its user should know: warnings only, since a deletion that fails throws. */
  readonly issues: readonly Issue[];
}
