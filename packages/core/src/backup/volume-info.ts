import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import { backupOperationEntry } from '../operations/operation-entry.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';

/** The volume information entry of a claim whose data is in a snapshot (Velero: `volumeinfo`, method CSISnapshot). */
export function csiVolumeInfo(
  claim: KubernetesObject,
  volume: KubernetesObject,
  snapshot: ReadySnapshot,
  completedAt: Date,
): JsonObject {
  return {
    ...identity(claim, volume),
    backupMethod: 'CSISnapshot',
    snapshotDataMoved: false,
    preserveLocalSnapshot: true,
    skipped: false,
    ...(snapshot.createdAt === undefined ? {} : { startTimestamp: snapshot.createdAt }),
    completionTimestamp: formatTimestamp(completedAt),
    result: 'succeeded',
    csiSnapshotInfo: {
      snapshotHandle: snapshot.snapshotHandle,
      size: snapshot.restoreSizeBytes ?? 0,
      driver: snapshot.driver,
      vscName: snapshot.volumeSnapshotContent.metadata.name,
      operationID: operationId(snapshot, completedAt),
      ReadyToUse: true,
      ...(snapshot.group === undefined
        ? {}
        : {
            volumeGroupSnapshotHandle: snapshot.group.snapshotHandle,
            // Not of Velero, which ignores it: the group can be freed only as a whole.
            volumeGroupSnapshotMembers: snapshot.group.memberHandles,
          }),
    },
    pvInfo: persistentVolumeInfo(volume),
  };
}

/** The volume information entry of a claim whose data is not in the backup. */
export function skippedVolumeInfo(
  claim: KubernetesObject,
  volume: KubernetesObject,
  reason: string,
): JsonObject {
  return {
    ...identity(claim, volume),
    snapshotDataMoved: false,
    preserveLocalSnapshot: false,
    skipped: true,
    skippedReason: `csiSnapshot: ${reason};`,
    pvInfo: persistentVolumeInfo(volume),
  };
}

/** The item operation that Velero would have recorded for a snapshot, already completed. */
export function snapshotOperation(
  backup: { readonly name: string; readonly uid: string },
  snapshot: ReadySnapshot,
  completedAt: Date,
): JsonObject {
  const group = 'snapshot.storage.k8s.io';
  const volumeSnapshot = {
    ...{ group, resource: 'volumesnapshots', namespace: snapshot.claimNamespace },
    name: snapshot.volumeSnapshot.metadata.name,
  };
  const content = {
    ...{ group, resource: 'volumesnapshotcontents' },
    name: snapshot.volumeSnapshotContent.metadata.name,
  };
  return backupOperationEntry(backup, {
    action: 'velero.io/csi-volumesnapshot-backupper',
    item: volumeSnapshot,
    operationId: operationId(snapshot, completedAt),
    itemsToUpdate: [volumeSnapshot, content],
    status: {
      phase: 'Completed',
      ...{ createdAt: completedAt, startedAt: completedAt, updatedAt: completedAt },
    },
  });
}

function operationId(snapshot: ReadySnapshot, at: Date): string {
  return `${snapshot.claimNamespace}/${snapshot.volumeSnapshot.metadata.name}/${formatTimestamp(at)}`;
}

function identity(claim: KubernetesObject, volume: KubernetesObject): JsonObject {
  return {
    pvcName: claim.metadata.name,
    ...(claim.metadata.namespace === undefined ? {} : { pvcNamespace: claim.metadata.namespace }),
    pvName: volume.metadata.name,
  };
}

function persistentVolumeInfo(volume: KubernetesObject): JsonObject {
  return {
    reclaimPolicy: stringAt(volume, ['spec', 'persistentVolumeReclaimPolicy']) ?? 'Delete',
    labels: volume.metadata.labels ?? null,
  };
}
