import { referenceTo } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { deleteIfSame } from './delete-if-same.ts';
import type { ReadySnapshot } from './ready-snapshot.ts';
import { describeSnapshotObject, snapshotFailure } from './snapshot-failure.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/**
 * Deletes both objects of a snapshot and resolves when they are gone; the storage snapshot stays, known by its handle only.
 * Content first, as Velero does: the reverse order gives the controller a moment to act on it. Not bounded in time: give it
 * a deadline.
 *
 * @throws {LifeboatError} code SnapshotFailed, with nothing deleted, when the content no longer has policy Retain: the
 * storage snapshot would go with it.
 */
export async function detachSnapshot(
  {
    cluster,
    tracked,
    snapshot,
  }: {
    readonly cluster: Cluster;
    readonly tracked: TrackedSnapshot;
    readonly snapshot: ReadySnapshot;
  },
  { signal }: CallOptions,
): Promise<void> {
  const { volumeSnapshot, volumeSnapshotContent } = snapshot;
  const contentReference = referenceTo(Resources.volumeSnapshotContents, volumeSnapshotContent);
  const live = await cluster.get(contentReference, { signal });
  const policy = live && stringAt(live, ['spec', 'deletionPolicy']);
  if (live?.metadata.uid === volumeSnapshotContent.metadata.uid && policy !== 'Retain') {
    throw snapshotFailure('detach', describeSnapshotObject(volumeSnapshotContent), {
      reason: `somebody changed its deletionPolicy to ${policy ?? 'nothing'}: deleting it would destroy the storage snapshot, so it and its VolumeSnapshot are left in the cluster. Set the policy to Retain before deleting them`,
    });
  }
  await deleteIfSame(cluster, contentReference, volumeSnapshotContent, { signal });
  await deleteIfSame(
    cluster,
    referenceTo(Resources.volumeSnapshots, volumeSnapshot),
    volumeSnapshot,
    { signal },
  );
  while (
    tracked.volumeSnapshot?.metadata.uid === volumeSnapshot.metadata.uid ||
    tracked.volumeSnapshotContent?.metadata.uid === volumeSnapshotContent.metadata.uid
  ) {
    await tracked.changed({ signal });
  }
}
