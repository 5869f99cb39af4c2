import type { ResourceIdentifier } from '../model/kubernetes.ts';
import type { UnfinishedUpload } from '../ports/object-store.ts';

/** Why something is left. docs/guides/leftovers.md says of each what has happened. */
export type LeftoverCause =
  // In the store
  | 'BackupUnfinished'
  | 'DeletionInterrupted'
  | 'UnrecognisedFiles'
  | 'UploadInterrupted'
  // In the cluster
  | 'SnapshotOfUnfinishedBackup'
  | 'SnapshotNotInBackup'
  | 'SnapshotNotDetached'
  | 'ReleaseInterrupted'
  | 'RestoreFinished'
  | 'RestoreAbandoned'
  | 'GroupStubLeft'
  | 'ProbeInterrupted'
  | 'RemovalStuck'
  // Either side
  | 'RetainedByVelero'
  | 'UnknownBackup';

/** What removing a leftover does. */
export type LeftoverAction =
  /** Deletes the files of `backups/<name>/`. */
  | 'DeleteFiles'
  /** Removes the parts of an upload that was not completed. */
  | 'RemoveUpload'
  /** Frees what snapshots the backup still has, then deletes its files. */
  | 'FinishDeletion'
  /** Deletes the objects from the cluster; the storage snapshot stays. */
  | 'DeleteObjects'
  /** Frees the storage snapshot and deletes the objects. */
  | 'FreeSnapshot'
  /** Nothing: it is reported only. */
  | 'None';

/** An object of the cluster that is left. */
export interface LeftoverObject extends ResourceIdentifier {
  readonly uid: string;
}

/** Something that a run which did not end left in the store or the cluster. Plain data: it can be stored, shown, and given back. */
export interface Leftover {
  readonly cause: LeftoverCause;
  readonly action: LeftoverAction;
  /** The backup it belongs to, as the store or else a label names it: labels shorten names of more than 63 bytes. */
  readonly backupName: string;
  /** When it last changed, RFC 3339: its age is counted from here. */
  readonly since: string;
  /** What is left and why, for people. */
  readonly message: string;
  /** The objects in the cluster; empty for what is left in the store. */
  readonly objects: readonly LeftoverObject[];
  /** The upload that is left, and the object that it would have become. */
  readonly upload?: Pick<UnfinishedUpload, 'key' | 'uploadId'> | undefined;
  readonly driver?: string | undefined;
  readonly snapshotHandle?: string | undefined;
  /** Of a volume group that was snapshotted as one. */
  readonly groupSnapshotHandle?: string | undefined;
}

/** Whether two finds are of the same thing, and it has not changed in between. */
export function isSameLeftover(one: Leftover, other: Leftover): boolean {
  return (
    one.cause === other.cause &&
    one.backupName === other.backupName &&
    one.since === other.since &&
    one.upload?.uploadId === other.upload?.uploadId &&
    one.snapshotHandle === other.snapshotHandle &&
    one.groupSnapshotHandle === other.groupSnapshotHandle &&
    one.objects.length === other.objects.length &&
    one.objects.every(({ uid }) => other.objects.some((object) => object.uid === uid))
  );
}
