import { readBackup } from '../catalog/backup-files.ts';
import { isMarkedForDeletion } from '../catalog/deletion-mark.ts';
import { backupsDirectory } from '../catalog/key-layout.ts';
import { LifeboatError } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import type { RestoreRequest } from './request.ts';

const scheduleLabel = 'velero.io/schedule-name';

/**
 * A request that names its backup: one that names a schedule gets the latest completed backup with the label of that schedule, as
 * Velero chooses it.
 *
 * @throws {LifeboatError} code NotFound when the schedule has none.
 */
export async function withBackupOfSchedule(
  store: ObjectStore,
  request: RestoreRequest,
  { signal }: CallOptions,
): Promise<RestoreRequest> {
  const { spec } = request;
  const { scheduleName = '', backupName = '' } = spec;
  if (scheduleName === '' || backupName !== '') {
    return request;
  }
  let latest: Backup | undefined;
  for await (const prefix of store.listPrefixes(backupsDirectory, { signal })) {
    const name = prefix.slice(backupsDirectory.length, -1);
    const backup = isDnsSubdomain(name) ? await readBackup(store, name, { signal }) : undefined;
    if (backup !== undefined && isOfSchedule(backup, scheduleName) && isLater(backup, latest)) {
      latest = (await isMarkedForDeletion(store, name, { signal })) ? latest : backup;
    }
  }
  if (latest === undefined) {
    throw new LifeboatError(
      `restore: ${store.location} has no completed backup with label ${scheduleLabel}=${scheduleName}`,
      { code: 'NotFound', operation: 'restore', target: scheduleName },
    );
  }
  return { ...request, spec: { ...spec, backupName: latest.metadata.name } };
}

function isOfSchedule({ metadata, status }: Backup, scheduleName: string): boolean {
  return status.phase === 'Completed' && metadata.labels?.[scheduleLabel] === scheduleName;
}

function isLater({ status }: Backup, other: Backup | undefined): boolean {
  return startOf(status) > startOf(other?.status);
}

// Timestamps of Kubernetes sort as text.
function startOf(status: Backup['status'] | undefined): string {
  const start = status?.['startTimestamp'];
  return typeof start === 'string' ? start : '';
}
