import { groupResourceOf } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';

/**
 * The namespaced resource of snapshots. It is never listed: a snapshot comes into a backup with its claim, one that existed
 * before is not of the application.
 */
export const volumeSnapshots: string = groupResourceOf(Resources.volumeSnapshots);

/** The cluster-scoped resource of snapshots; as {@link volumeSnapshots}. */
export const volumeSnapshotContents: string = groupResourceOf(Resources.volumeSnapshotContents);

/** Whether a resource, or the name of one, is of snapshots. */
export function isSnapshotResource(groupResource: string): boolean {
  return groupResource === volumeSnapshots || groupResource === volumeSnapshotContents;
}
