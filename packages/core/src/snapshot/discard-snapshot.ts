import { isLifeboatError } from '../errors.ts';
import type { JsonObject } from '../model/json.ts';
import { type KubernetesObject, type ObjectReference, referenceTo } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { releasePatch } from './manifests.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/**
 * Deletes a VolumeSnapshot together with its content and its storage snapshot, whatever the policy of its class, and
 * resolves when all are gone. Missing objects are success. Not bounded in time: give it a deadline.
 */
export async function discardSnapshot(
  {
    cluster,
    tracked,
    volumeSnapshot,
  }: {
    readonly cluster: Cluster;
    readonly tracked: TrackedSnapshot;
    readonly volumeSnapshot: KubernetesObject;
  },
  { signal }: CallOptions,
): Promise<void> {
  await patchContent(
    cluster,
    await findContent(cluster, volumeSnapshot, signal),
    releasePatch,
    signal,
  );
  await deleteIfSame(
    cluster,
    referenceTo(Resources.volumeSnapshots, volumeSnapshot),
    volumeSnapshot,
    { signal },
  );
  while (tracked.volumeSnapshot?.metadata.uid === volumeSnapshot.metadata.uid) {
    await tracked.changed({ signal });
  }
  const content = await findContent(cluster, volumeSnapshot, signal);
  if (content !== undefined) {
    tracked.seed('volumeSnapshotContent', content);
    await deleteOrphan(cluster, content, signal);
  }
  while (tracked.volumeSnapshotContent !== undefined) {
    await tracked.changed({ signal });
  }
}

// The snapshot-controller names a content after the VolumeSnapshot's uid and marks its deletion with an annotation
// (external-snapshotter: pkg/utils/util.go).
const beingDeleted = 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted';

/** The content that was made for a VolumeSnapshot, also when that does not name it yet. */
async function findContent(
  cluster: Cluster,
  volumeSnapshot: KubernetesObject,
  signal: AbortSignal | undefined,
): Promise<KubernetesObject | undefined> {
  const { uid = '' } = volumeSnapshot.metadata;
  const name =
    stringAt(volumeSnapshot, ['status', 'boundVolumeSnapshotContentName']) ?? `snapcontent-${uid}`;
  const content = await cluster.get({ ...Resources.volumeSnapshotContents, name }, { signal });
  const owner = content && stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']);
  return owner === uid ? content : undefined;
}

// A content with policy Retain that outlives its VolumeSnapshot is nobody's: the sidecar frees the storage snapshot of such
// a one only when it is marked as the controller would have marked it.
async function deleteOrphan(
  cluster: Cluster,
  content: KubernetesObject,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (content.metadata.deletionTimestamp === undefined) {
    const mark = { ...releasePatch, metadata: { annotations: { [beingDeleted]: 'yes' } } };
    await patchContent(cluster, content, mark, signal);
    await deleteIfSame(cluster, referenceTo(Resources.volumeSnapshotContents, content), content, {
      signal,
    });
  }
}

async function patchContent(
  cluster: Cluster,
  content: KubernetesObject | undefined,
  patch: JsonObject,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (content === undefined) {
    return;
  }
  try {
    const reference = referenceTo(Resources.volumeSnapshotContents, content);
    await cluster.patch(reference, { type: 'merge', patch }, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'NotFound')) {
      throw error;
    }
  }
}

/** Deletes this very object; one that is gone, or whose name another one has taken, is success. */
export async function deleteIfSame(
  cluster: Cluster,
  reference: ObjectReference,
  { metadata: { uid } }: KubernetesObject,
  { signal }: CallOptions,
): Promise<void> {
  try {
    await cluster.delete(reference, { uid, signal });
  } catch (error) {
    if (!isLifeboatError(error, 'Conflict')) {
      throw error;
    }
  }
}
