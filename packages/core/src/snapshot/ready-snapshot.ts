import type { KubernetesObject } from '../model/kubernetes.ts';
import { numberAt, stringAt } from '../model/object-path.ts';

/** A group of storage snapshots of one moment. Only the storage of all of them can be freed, not of one alone. */
export interface SnapshotGroup {
  /** What the storage calls the group. */
  readonly snapshotHandle: string;
  /** What it calls the snapshots in it, those included that the backup does not hold. */
  readonly memberHandles: readonly string[];
}

/** A snapshot of one claim that is ready to use, with its two objects as they were last seen. */
export interface ReadySnapshot {
  readonly claimNamespace: string;
  readonly claimName: string;
  readonly volumeName: string;
  readonly volumeSnapshot: KubernetesObject;
  readonly volumeSnapshotContent: KubernetesObject;
  /** Absent for a member of a group: those have none. */
  readonly snapshotClass?: KubernetesObject | undefined;
  /** The policy that the class asks for. Live, the content has Retain. */
  readonly classDeletionPolicy: 'Delete' | 'Retain';
  readonly driver: string;
  /** What the storage calls the snapshot. */
  readonly snapshotHandle: string;
  /** The group it was cut with, as of one moment; absent when it was cut alone. */
  readonly group?: SnapshotGroup | undefined;
  /** Least size of a volume made from it; absent when the driver does not tell. */
  readonly restoreSizeBytes?: number | undefined;
  /** When the storage took it, RFC 3339; absent when the driver does not tell. */
  readonly createdAt?: string | undefined;
}

/** Describes a snapshot of a claim's volume whose objects say that it is ready. */
export function readySnapshot(
  {
    claim,
    volume,
    snapshotClass,
  }: Readonly<Record<'claim' | 'volume' | 'snapshotClass', KubernetesObject>>,
  {
    volumeSnapshot,
    volumeSnapshotContent,
    snapshotHandle,
  }: Pick<ReadySnapshot, 'volumeSnapshot' | 'volumeSnapshotContent' | 'snapshotHandle'>,
  classDeletionPolicy: 'Delete' | 'Retain',
): ReadySnapshot {
  return {
    claimNamespace: claim.metadata.namespace ?? '',
    claimName: claim.metadata.name,
    volumeName: volume.metadata.name,
    volumeSnapshot,
    volumeSnapshotContent,
    snapshotClass,
    classDeletionPolicy,
    driver: stringAt(volume, ['spec', 'csi', 'driver']) ?? '',
    snapshotHandle,
    restoreSizeBytes: numberAt(volumeSnapshotContent, ['status', 'restoreSize']),
    createdAt: stringAt(volumeSnapshot, ['status', 'creationTime']),
  };
}
