import { groupResourceOf } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';

/**
 * The namespaced resource of snapshots. It is never listed: a snapshot comes into a backup with its claim, one that existed
 * before is not of the application.
 */
export const volumeSnapshots: string = groupResourceOf(Resources.volumeSnapshots);

/** The cluster-scoped resource of snapshots; as {@link volumeSnapshots}. */
export const volumeSnapshotContents: string = groupResourceOf(Resources.volumeSnapshotContents);

// Those of groups too: the run makes some itself, and removes them.
const snapshotResources: ReadonlySet<string> = new Set([
  volumeSnapshots,
  volumeSnapshotContents,
  'volumegroupsnapshots.groupsnapshot.storage.k8s.io',
  'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io',
]);

/** Whether a resource, or the name of one, is of snapshots. */
export function isSnapshotResource(groupResource: string): boolean {
  return snapshotResources.has(groupResource);
}
