import { createHash } from 'node:crypto';

/** Labels and annotations of Velero, kept in one place as Velero keeps them (velero: pkg/apis/velero/v1/labels_annotations.go). */
export const VeleroLabel = {
  backupName: 'velero.io/backup-name',
  restoreName: 'velero.io/restore-name',
  storageLocation: 'velero.io/storage-location',
  excludeFromBackup: 'velero.io/exclude-from-backup',
  /** On a VolumeSnapshotClass: presence counts, whatever the value. On a claim: an annotation that names a class. */
  volumeSnapshotClass: 'velero.io/csi-volumesnapshot-class',
  /** On a VolumeGroupSnapshotClass, with the value `true`: the one to use for its driver. */
  volumeGroupSnapshotClass: 'velero.io/csi-volumegroupsnapshot-class',
  /** On a backed-up claim, label and annotation: the name of its VolumeSnapshot. */
  volumeSnapshotName: 'velero.io/volume-snapshot-name',
} as const;

/** Annotations of Velero on snapshot objects and claims. */
export const VeleroAnnotation = {
  volumeSnapshotClass: 'velero.io/csi-volumesnapshot-class',
  volumeSnapshotName: 'velero.io/volume-snapshot-name',
  snapshotHandle: 'velero.io/csi-volumesnapshot-handle',
  driverName: 'velero.io/csi-driver-name',
  restoreSize: 'velero.io/csi-volumesnapshot-restore-size',
  /** The same with a typing error, in backups of Velero 1.13 and older. */
  legacyRestoreSize: 'velero.io/vsi-volumesnapshot-restore-size',
  deletionPolicy: 'velero.io/csi-vsc-deletion-policy',
  /** On a VolumeSnapshot that is one of a group: what the storage calls the group. */
  groupSnapshotHandle: 'velero.io/csi-volumegroupsnapshot-handle',
  /** On a claim: the VolumeGroupSnapshotClass to take its group with. */
  volumeGroupSnapshotClass: 'velero.io/csi-volume-group-snapshot-class',
  /** On a backup, followed by `_<driver>`: the VolumeGroupSnapshotClass for that driver. */
  volumeGroupSnapshotClassOfDriver: 'velero.io/csi-volumegroupsnapshot-class',
  dataUploadName: 'velero.io/data-upload-name',
  mustIncludeAdditionalItems: 'backup.velero.io/must-include-additional-items',
  sourceClusterGitVersion: 'velero.io/source-cluster-k8s-gitversion',
  sourceClusterMajorVersion: 'velero.io/source-cluster-k8s-major-version',
  sourceClusterMinorVersion: 'velero.io/source-cluster-k8s-minor-version',
} as const;

/** Labels of Lifeboat: they mark what a run made, so that what a crash leaves can be found. */
export const LifeboatLabel = {
  /** The run (a UUID) that made the object. */
  run: 'lifeboat.dev/run',
  /** The store (a digest of its location) whose sync made a VolumeSnapshotContent. */
  syncedFrom: 'lifeboat.dev/synced-from',
} as const;

/** Annotations of Lifeboat on what a sync of snapshots has made. */
export const LifeboatAnnotation = {
  /** The full name of the backup: a label may have to shorten it. */
  syncedBackup: 'lifeboat.dev/synced-backup',
  syncedLocation: 'lifeboat.dev/synced-location',
} as const;

/** Annotations that Kubernetes and the CSI sidecars put on claims and snapshot objects. */
export const KubernetesAnnotation = {
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  storageProvisioner: 'volume.kubernetes.io/storage-provisioner',
  betaStorageProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  selectedNode: 'volume.kubernetes.io/selected-node',
  defaultVolumeSnapshotClass: 'snapshot.storage.kubernetes.io/is-default-class',
  deletionSecretName: 'snapshot.storage.kubernetes.io/deletion-secret-name',
  deletionSecretNamespace: 'snapshot.storage.kubernetes.io/deletion-secret-namespace',
  groupDeletionSecretName: 'groupsnapshot.storage.kubernetes.io/deletion-secret-name',
  groupDeletionSecretNamespace: 'groupsnapshot.storage.kubernetes.io/deletion-secret-namespace',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
  mirrorPod: 'kubernetes.io/config.mirror',
} as const;

const maximumLabelLength = 63;
const digestLength = 6;

/**
 * The label value that stands for a name: the name itself up to 63 bytes, else its first 57 and six hexadecimal digits of
 * its SHA-256, as Velero shortens it (velero: pkg/label GetValidName).
 */
export function labelValueOf(name: string): string {
  if (Buffer.byteLength(name) <= maximumLabelLength) {
    return name;
  }
  const digest = createHash('sha256').update(name).digest('hex').slice(0, digestLength);
  return (
    Buffer.from(name)
      .subarray(0, maximumLabelLength - digestLength)
      .toString() + digest
  );
}
