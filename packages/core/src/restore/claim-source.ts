import type { KubernetesObject } from '../model/kubernetes.ts';
import { VeleroAnnotation } from '../model/labels.ts';
import { numberAt, stringAt } from '../model/object-path.ts';
import { formatQuantity } from '../model/quantity.ts';

/** A snapshot that a backup holds: what is needed to make its data available in a cluster again. */
export interface ArchivedSnapshot {
  readonly volumeSnapshot: KubernetesObject;
  /** Absent in backups that were made without it; the annotations of the VolumeSnapshot then tell the same. */
  readonly volumeSnapshotContent: KubernetesObject | undefined;
  readonly driver: string;
  readonly snapshotHandle: string;
  /** Least size of a volume made from it, a quantity. */
  readonly restoreSize: string | undefined;
}

/** Where the data of a restored claim comes from. */
export type ClaimSource =
  | { readonly kind: 'snapshot'; readonly snapshot: ArchivedSnapshot }
  /** A new, empty volume; `warning` when the backup had a volume whose data it does not hold. */
  | { readonly kind: 'new volume'; readonly warning?: string | undefined }
  /** The very volume the claim had, whose PersistentVolume is restored too. */
  | { readonly kind: 'same volume'; readonly volumeName: string }
  /** The claim had no volume: it is created as it stands. */
  | { readonly kind: 'as it stands' }
  /** The data was saved in a way that cannot be read: restoring the claim would pass off an empty volume as the old one. */
  | { readonly kind: 'out of reach'; readonly reason: string };

/** What a backup says about a claim and its volume. */
export interface ClaimEvidence {
  readonly claim: KubernetesObject;
  /** `spec.restorePVs` of the restore; only an explicit `false` leaves the data out. */
  readonly restorePVs: boolean | undefined;
  /** The VolumeSnapshot that the claim's annotation names, and the content that is bound to it. */
  readonly volumeSnapshot: KubernetesObject | undefined;
  readonly volumeSnapshotContent: KubernetesObject | undefined;
  readonly volume: KubernetesObject | undefined;
  /** `backupMethod` of the claim's volume in the backup's volume information. */
  readonly backupMethod: string | undefined;
}

/** Decides where the data of a claim comes from. */
export function decideClaimSource(evidence: ClaimEvidence): ClaimSource {
  const { claim, restorePVs } = evidence;
  if (restorePVs === false) {
    return { kind: 'new volume' };
  }
  if (claim.metadata.annotations?.[VeleroAnnotation.dataUploadName] !== undefined) {
    return {
      kind: 'out of reach',
      reason:
        'its data was moved into a backup repository (snapshotMoveData), which cannot be read',
    };
  }
  const snapshotName = volumeSnapshotNameOf(claim);
  return snapshotName === undefined
    ? decideWithoutSnapshot(evidence)
    : decideSnapshot(snapshotName, evidence);
}

/** The VolumeSnapshot that a backed-up claim names as the place of its data; `undefined` when it was not snapshotted. */
export function volumeSnapshotNameOf(claim: KubernetesObject): string | undefined {
  const name = claim.metadata.annotations?.[VeleroAnnotation.volumeSnapshotName];
  return name === '' ? undefined : name;
}

function decideSnapshot(name: string, evidence: ClaimEvidence): ClaimSource {
  const { volumeSnapshot, volumeSnapshotContent } = evidence;
  if (volumeSnapshot === undefined) {
    return {
      kind: 'out of reach',
      reason: `the backup does not hold VolumeSnapshot ${name}, which the claim names as the place of its data`,
    };
  }
  const { annotations = {} } = volumeSnapshot.metadata;
  const content = volumeSnapshotContent ?? {};
  const snapshotHandle =
    stringAt(content, ['status', 'snapshotHandle']) ?? annotations[VeleroAnnotation.snapshotHandle];
  const driver = stringAt(content, ['spec', 'driver']) ?? annotations[VeleroAnnotation.driverName];
  if (snapshotHandle === undefined || driver === undefined) {
    return {
      kind: 'out of reach',
      reason: `the backup does not say what the storage calls the snapshot ${name}: its VolumeSnapshotContent has no snapshotHandle or no driver`,
    };
  }
  return {
    kind: 'snapshot',
    snapshot: {
      volumeSnapshot,
      volumeSnapshotContent,
      driver,
      snapshotHandle,
      restoreSize: restoreSizeOf(volumeSnapshot, volumeSnapshotContent),
    },
  };
}

function restoreSizeOf(
  volumeSnapshot: KubernetesObject,
  content: KubernetesObject | undefined,
): string | undefined {
  const { annotations = {} } = volumeSnapshot.metadata;
  const bytes = content === undefined ? undefined : numberAt(content, ['status', 'restoreSize']);
  return (
    annotations[VeleroAnnotation.restoreSize] ??
    annotations[VeleroAnnotation.legacyRestoreSize] ??
    stringAt(volumeSnapshot, ['status', 'restoreSize']) ??
    (bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0
      ? formatQuantity(BigInt(bytes))
      : undefined)
  );
}

function decideWithoutSnapshot({ claim, volume, backupMethod }: ClaimEvidence): ClaimSource {
  const volumeName = stringAt(claim, ['spec', 'volumeName']);
  if (volumeName === undefined) {
    return { kind: 'as it stands' };
  }
  if (backupMethod === 'NativeSnapshot' || backupMethod === 'PodVolumeBackup') {
    return {
      kind: 'out of reach',
      reason: `its data was saved as ${backupMethod}, which cannot be read; only CSI snapshots can`,
    };
  }
  if (volume === undefined) {
    return { kind: 'as it stands' };
  }
  return keepsItsVolume(volume)
    ? { kind: 'same volume', volumeName }
    : {
        kind: 'new volume',
        warning: 'the backup holds no snapshot of its volume, so it is restored empty',
      };
}

/** Whether a volume outlives its claim, so that its PersistentVolume can be restored and bound again. */
export function keepsItsVolume(volume: KubernetesObject): boolean {
  return stringAt(volume, ['spec', 'persistentVolumeReclaimPolicy']) !== 'Delete';
}
