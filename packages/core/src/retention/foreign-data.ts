import { readArtifactList } from '../catalog/backup-files.ts';
import { objectAt, stringAt } from '../model/object-path.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';

/**
 * Describes the data of a backup that only Velero can free, one sentence part for each kind; empty when there is none: data
 * in a repository of its data mover or file system backup, and snapshots of its own plugins.
 *
 * @throws {LifeboatError} code CorruptBackup when a file of the backup cannot be read.
 */
export async function describeForeignData(
  store: ObjectStore,
  name: string,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const volumes = await readArtifactList(store, name, 'volumeInfo', options);
  const podVolumes = await readArtifactList(store, name, 'podVolumeBackups', options);
  const natives = await readArtifactList(store, name, 'volumeSnapshots', options);
  const counts = [
    {
      count: volumes.filter((volume) => volume['snapshotDataMoved'] === true).length,
      what: 'volume(s) whose data was moved into a kopia repository',
    },
    {
      count: podVolumes.filter((volume) => isText(stringAt(volume, ['status', 'snapshotID'])))
        .length,
      what: 'file system backup(s) of pod volumes in a kopia or restic repository',
    },
    {
      count: natives.filter((native) =>
        isText(stringAt(objectAt(native, ['status']) ?? {}, ['providerSnapshotID'])),
      ).length,
      what: 'snapshot(s) of a Velero plugin',
    },
  ];
  return counts.flatMap(({ count, what }) => (count === 0 ? [] : [`${count} ${what}`]));
}

function isText(text: string | undefined): boolean {
  return text !== undefined && text !== '';
}
