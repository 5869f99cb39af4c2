import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { formatTimestamp } from '../model/timestamp.ts';
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
  const at = formatTimestamp(completedAt);
  const volumeSnapshot = identifier(
    'volumesnapshots',
    snapshot.claimNamespace,
    snapshot.volumeSnapshot.metadata.name,
  );
  return {
    spec: {
      backupName: backup.name,
      backupUID: backup.uid,
      backupItemAction: 'velero.io/csi-volumesnapshot-backupper',
      resourceIdentifier: volumeSnapshot,
      operationID: operationId(snapshot, completedAt),
      postOperationItems: [
        volumeSnapshot,
        identifier('volumesnapshotcontents', '', snapshot.volumeSnapshotContent.metadata.name),
      ],
    },
    status: { phase: 'Completed', created: at, started: at, updated: at },
  };
}

function operationId(snapshot: ReadySnapshot, at: Date): string {
  return `${snapshot.claimNamespace}/${snapshot.volumeSnapshot.metadata.name}/${formatTimestamp(at)}`;
}

// Go writes these keys capitalised: the struct has no JSON names.
function identifier(resource: string, namespace: string, name: string): JsonObject {
  return { Group: 'snapshot.storage.k8s.io', Resource: resource, Namespace: namespace, Name: name };
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
