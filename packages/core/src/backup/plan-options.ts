import type { PlanEvent } from '../model/event.ts';
import type { BackupOptions } from './request.ts';

/** How to plan a backup: with the options that the backup is to have, as far as they decide something. */
export interface PlanBackupOptions
  extends Pick<
    BackupOptions,
    | 'signal'
    | 'groupSnapshots'
    | 'include'
    | 'itemOperations'
    | 'resourcePolicy'
    | 'volumeSnapshotClasses'
  > {
  /** Receives reports while the cluster is read. What it throws is logged and ignored. */
  readonly onEvent?: ((event: PlanEvent) => void) | undefined;
}
