import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { deleteIfSame } from './discard-snapshot.ts';
import { handleOf } from './snapshot-step.ts';

/** Which storage snapshot is gone. */
export interface RemoveSnapshotObjectsRequest {
  readonly cluster: Cluster;
  readonly backupName: string;
  readonly driver: string;
  readonly snapshotHandle: string;
}

/**
 * Deletes the VolumeSnapshotContents of a backup that still stand for a storage snapshot which is gone, and their
 * VolumeSnapshots: those that a backup or a restore has kept. Missing objects are success. Does not wait until they are gone.
 */
export async function removeSnapshotObjects(
  { cluster, backupName, driver, snapshotHandle }: RemoveSnapshotObjectsRequest,
  { signal }: CallOptions = {},
): Promise<void> {
  const contents = cluster.list(Resources.volumeSnapshotContents, {
    labelSelector: `${VeleroLabel.backupName}=${labelValueOf(backupName)}`,
    signal,
  });
  for await (const content of contents) {
    const handle = handleOf(content) ?? stringAt(content, ['spec', 'source', 'snapshotHandle']);
    if (handle !== snapshotHandle || stringAt(content, ['spec', 'driver']) !== driver) {
      continue;
    }
    const volumeSnapshot = await boundSnapshotOf(cluster, content, signal);
    const reference = referenceTo(Resources.volumeSnapshotContents, content);
    await deleteIfSame(cluster, reference, content, { signal });
    if (volumeSnapshot !== undefined) {
      const bound = referenceTo(Resources.volumeSnapshots, volumeSnapshot);
      await deleteIfSame(cluster, bound, volumeSnapshot, { signal });
    }
  }
}

/** The VolumeSnapshot that is bound to a content; not another one that has taken its name since. */
async function boundSnapshotOf(
  cluster: Cluster,
  content: KubernetesObject,
  signal: AbortSignal | undefined,
): Promise<KubernetesObject | undefined> {
  const namespace = stringAt(content, ['spec', 'volumeSnapshotRef', 'namespace']);
  const name = stringAt(content, ['spec', 'volumeSnapshotRef', 'name']);
  if (namespace === undefined || name === undefined) {
    return undefined;
  }
  const reference = { ...Resources.volumeSnapshots, namespace, name };
  const found = await cluster.get(reference, { signal });
  const bound = found && stringAt(found, ['status', 'boundVolumeSnapshotContentName']);
  return bound === content.metadata.name ? found : undefined;
}
