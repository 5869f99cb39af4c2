import { describeObject } from '../model/kubernetes.ts';
import type { Leftover, LeftoverAction, LeftoverCause } from './leftover.ts';

const reasons: Readonly<Record<LeftoverCause, string>> = {
  BackupUnfinished: 'a backup run claimed the name and did not come to its end',
  DeletionInterrupted: 'the deletion of the backup began and did not come to its end',
  UnrecognisedFiles:
    'there is no velero-backup.json, and no sign that Lifeboat has written the other files',
  UploadInterrupted: 'it was begun and not completed',
  SnapshotOfUnfinishedBackup: 'the backup run that it was made for did not come to its end',
  SnapshotNotInBackup: 'the backup it was made for is complete without it',
  SnapshotNotDetached: 'the backup is complete and needs only the storage snapshot',
  ReleaseInterrupted: 'it was made to free the storage snapshot, which did not come to its end',
  RestoreFinished: 'a restore made it for a claim that has its volume',
  RestoreAbandoned: 'a restore made it for a claim that does not exist',
  GroupStubLeft:
    'a restore made it to stand in for a volume group, and no claim waits for a snapshot of that any more',
  ProbeInterrupted: 'it was made to see whether the storage snapshot is there',
  RemovalStuck: 'it is being deleted and does not go away',
  RetainedByVelero: 'Velero before 1.16 left it for a backup that is not in this store',
  UnknownBackup: 'no backup of this store accounts for it',
};

const consequences: Readonly<Record<LeftoverAction, string>> = {
  DeleteFiles: 'its files can be deleted',
  RemoveUpload: 'its parts can be removed',
  FinishDeletion: 'the rest of its snapshots can be freed, and its files deleted',
  DeleteObjects: 'the objects can be deleted, the storage snapshot stays',
  FreeSnapshot: 'the storage snapshot can be freed, with the objects that stand for it',
  None: 'another store may know its backup, so it is left alone unless that is asked for',
};

/** Says for people what is left, why, and what removing it would do. */
export function describeLeftover({
  cause,
  action,
  backupName,
  objects,
  upload,
  snapshotHandle,
  groupSnapshotHandle,
}: Omit<Leftover, 'message'>): string {
  const files = upload === undefined ? `backups/${backupName}/` : `the upload of ${upload.key}`;
  const what = objects.length === 0 ? files : objects.map(describeObject).join(' and ');
  const handle = snapshotHandle ?? groupSnapshotHandle;
  const kind = snapshotHandle === undefined ? 'the snapshots of group' : 'snapshot';
  const snapshot = handle === undefined ? '' : ` for ${kind} ${handle}`;
  const of = objects.length === 0 ? '' : ` of backup ${backupName}`;
  return `${what}${of}${snapshot}: ${reasons[cause]}; ${consequences[action]}`;
}
