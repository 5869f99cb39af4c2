import { BackupCatalog } from '../catalog/backup-catalog.ts';
import { readArtifactList } from '../catalog/backup-files.ts';
import { markDeletion } from '../catalog/deletion-mark.ts';
import { LifeboatError, messageOf } from '../errors.ts';
import type { JsonObject } from '../model/json.ts';
import { stringAt } from '../model/object-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { releaseSnapshot } from '../snapshot/release-snapshot.ts';
import { removeSnapshotObjects } from '../snapshot/remove-snapshot-objects.ts';

/** What a deletion needs from the outside. */
export interface DeleteBackupDependencies {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Frees the storage snapshots of a backup, one after another, with the snapshot objects of this cluster that still stand for
 * them, and deletes its files once all of them are gone. A backup, a snapshot or a file that is missing already is success.
 * The backup is marked first, so that a deletion which was interrupted can be found and finished.
 *
 * @throws {LifeboatError} code SnapshotFailed when a snapshot could not be freed: the others are tried all the same, the
 * files stay, and the call can be repeated.
 */
export async function deleteBackup(
  { cluster, store, clock, logger }: DeleteBackupDependencies,
  name: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const failures: string[] = [];
  await markDeletion(store, name, { clock, signal });
  for (const { driver, snapshotHandle } of await snapshotsOf(store, name, signal)) {
    try {
      await releaseSnapshot(
        { cluster, clock, backupName: name, driver, snapshotHandle },
        { signal },
      );
      await removeSnapshotObjects(
        { cluster, backupName: name, driver, snapshotHandle },
        { signal },
      );
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`snapshot ${snapshotHandle} of driver ${driver}: ${messageOf(error)}`);
    }
  }
  if (failures.length > 0) {
    throw new LifeboatError(
      `backup ${name} is not deleted, because not all of its snapshots could be freed; repeat the call. ${failures.join('; ')}`,
      { code: 'SnapshotFailed', operation: 'deleteBackup', target: name, retryable: true },
    );
  }
  await new BackupCatalog(store, logger).delete(name, { signal });
  logger.info('backup deleted', { backup: name });
}

async function snapshotsOf(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<readonly { readonly driver: string; readonly snapshotHandle: string }[]> {
  const volumes = await readArtifactList(store, name, 'volumeInfo', { signal });
  return volumes.flatMap((volume: JsonObject) => {
    const driver = stringAt(volume, ['csiSnapshotInfo', 'driver']);
    const snapshotHandle = stringAt(volume, ['csiSnapshotInfo', 'snapshotHandle']);
    return driver === undefined ||
      snapshotHandle === undefined ||
      volume['snapshotDataMoved'] === true
      ? []
      : [{ driver, snapshotHandle }];
  });
}
