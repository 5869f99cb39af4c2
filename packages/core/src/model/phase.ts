/** Phases of a Velero Backup that can stand in a store (spec of Velero 1.18: `BackupPhase`). */
export type BackupPhase =
  | 'New'
  | 'Queued'
  | 'ReadyToStart'
  | 'FailedValidation'
  | 'InProgress'
  | 'WaitingForPluginOperations'
  | 'WaitingForPluginOperationsPartiallyFailed'
  | 'Finalizing'
  | 'FinalizingPartiallyFailed'
  | 'Completed'
  | 'PartiallyFailed'
  | 'Failed'
  | 'Deleting';

/** Phases of a Velero Restore. */
export type RestorePhase = Exclude<BackupPhase, 'Queued' | 'ReadyToStart' | 'Deleting'>;

/** The phase of a finished run: errors make it `PartiallyFailed`, warnings do not count. */
export function terminalPhase(errors: number): 'Completed' | 'PartiallyFailed' {
  return errors > 0 ? 'PartiallyFailed' : 'Completed';
}
