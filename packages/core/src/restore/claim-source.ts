import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { VeleroAnnotation } from '../model/labels.ts';
import { numberAt, type ObjectPath, stringAt } from '../model/object-path.ts';
import { formatQuantity } from '../model/quantity.ts';
import { snapshotApiVersion } from '../snapshot/manifests.ts';
import type { OriginalVolume } from './original-volume.ts';
import type { VolumeRecord } from './volume-record.ts';

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
  | {
      readonly kind: 'snapshot';
      readonly snapshot: ArchivedSnapshot;
      readonly original?: OriginalVolume | undefined;
    }
  /** A new, empty volume; `warning` when the backup had a volume whose data it does not hold. */
  | {
      readonly kind: 'new volume';
      readonly warning?: string | undefined;
      readonly original?: OriginalVolume | undefined;
    }
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
  /** What the backup's volume information says of the claim's volume. */
  readonly volumeRecord: VolumeRecord | undefined;
  /** Whether the backup moved the data of its volumes into a repository (`spec.snapshotMoveData`). */
  readonly movesData: boolean;
}

/** Decides where the data of a claim comes from. */
export function decideClaimSource(evidence: ClaimEvidence): ClaimSource {
  const { claim, restorePVs } = evidence;
  if (restorePVs === false) {
    return { kind: 'new volume' };
  }
  const snapshotName = volumeSnapshotNameOf(claim) ?? recordedSnapshotName(evidence);
  if (wasMoved(evidence, snapshotName)) {
    return {
      kind: 'out of reach',
      reason:
        'its data was moved into a backup repository (snapshotMoveData), which cannot be read; restore it with Velero',
    };
  }
  return snapshotName === undefined
    ? decideWithoutSnapshot(evidence)
    : decideSnapshot(snapshotName, evidence);
}

/** The VolumeSnapshot that a backed-up claim names as the place of its data; `undefined` when it was not snapshotted. */
export function volumeSnapshotNameOf(claim: KubernetesObject): string | undefined {
  const name = claim.metadata.annotations?.[VeleroAnnotation.volumeSnapshotName];
  return name === '' ? undefined : name;
}

// The volume information may know a snapshot of which the claim itself does not tell.
function recordedSnapshotName({ claim, volumeRecord }: ClaimEvidence): string | undefined {
  return volumeRecord?.snapshotHandle === undefined || volumeRecord.driver === undefined
    ? undefined
    : (volumeRecord.volumeSnapshotContentName ?? claim.metadata.name);
}

function wasMoved(
  { claim, volumeRecord, movesData }: ClaimEvidence,
  snapshotName: string | undefined,
): boolean {
  return (
    claim.metadata.annotations?.[VeleroAnnotation.dataUploadName] !== undefined ||
    volumeRecord?.dataMoved === true ||
    (movesData && snapshotName !== undefined)
  );
}

// Of old backups each has its own part of the truth: the content that a version re-created has the handle in its spec only, and
// the VolumeSnapshot of one was stored before it was bound.
function decideSnapshot(name: string, evidence: ClaimEvidence): ClaimSource {
  const { claim, volumeSnapshot, volumeSnapshotContent, volumeRecord } = evidence;
  const annotations = volumeSnapshot?.metadata.annotations ?? {};
  const content = volumeSnapshotContent ?? {};
  const snapshotHandle =
    textAt(content, ['status', 'snapshotHandle']) ??
    textAt(content, ['spec', 'source', 'snapshotHandle']) ??
    annotations[VeleroAnnotation.snapshotHandle] ??
    volumeRecord?.snapshotHandle;
  const driver =
    textAt(content, ['spec', 'driver']) ??
    annotations[VeleroAnnotation.driverName] ??
    volumeRecord?.driver;
  if (snapshotHandle === undefined || driver === undefined) {
    return { kind: 'out of reach', reason: whyUnknown(name, volumeSnapshot) };
  }
  return {
    kind: 'snapshot',
    snapshot: {
      volumeSnapshot: volumeSnapshot ?? snapshotNamed(name, claim),
      volumeSnapshotContent,
      driver,
      snapshotHandle,
      restoreSize: restoreSizeOf(volumeSnapshot, volumeSnapshotContent, volumeRecord),
    },
  };
}

function whyUnknown(name: string, volumeSnapshot: KubernetesObject | undefined): string {
  return volumeSnapshot === undefined
    ? `the backup does not hold VolumeSnapshot ${name}, which the claim names as the place of its data`
    : `the backup does not say what the storage calls the snapshot ${name}: its VolumeSnapshotContent has no snapshotHandle or no driver`;
}

function snapshotNamed(name: string, { metadata }: KubernetesObject): KubernetesObject {
  const { namespace } = metadata;
  return {
    apiVersion: snapshotApiVersion,
    kind: 'VolumeSnapshot',
    metadata: namespace === undefined ? { name } : { name, namespace },
  };
}

function textAt(object: JsonObject, path: ObjectPath): string | undefined {
  const text = stringAt(object, path);
  return text === '' ? undefined : text;
}

function restoreSizeOf(
  volumeSnapshot: KubernetesObject | undefined,
  content: KubernetesObject | undefined,
  volumeRecord: VolumeRecord | undefined,
): string | undefined {
  const annotations = volumeSnapshot?.metadata.annotations ?? {};
  return (
    annotations[VeleroAnnotation.restoreSize] ??
    annotations[VeleroAnnotation.legacyRestoreSize] ??
    (volumeSnapshot && stringAt(volumeSnapshot, ['status', 'restoreSize'])) ??
    sizeOf(content && numberAt(content, ['status', 'restoreSize'])) ??
    sizeOf(volumeRecord?.sizeBytes)
  );
}

function sizeOf(bytes: number | undefined): string | undefined {
  return bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0
    ? formatQuantity(BigInt(bytes))
    : undefined;
}

function decideWithoutSnapshot({ claim, volume, volumeRecord }: ClaimEvidence): ClaimSource {
  const backupMethod = volumeRecord?.backupMethod;
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
