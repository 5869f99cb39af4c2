import type { KubernetesObject } from '../model/kubernetes.ts';

/** A snapshot of one claim that is ready to use, with its two objects as they were last seen. */
export interface ReadySnapshot {
  readonly claimNamespace: string;
  readonly claimName: string;
  readonly volumeName: string;
  readonly volumeSnapshot: KubernetesObject;
  readonly volumeSnapshotContent: KubernetesObject;
  readonly snapshotClass: KubernetesObject;
  /** The policy that the class asks for. Live, the content has Retain. */
  readonly classDeletionPolicy: 'Delete' | 'Retain';
  readonly driver: string;
  /** What the storage calls the snapshot. */
  readonly snapshotHandle: string;
  /** Least size of a volume made from it; absent when the driver does not tell. */
  readonly restoreSizeBytes?: number | undefined;
  /** When the storage took it, RFC 3339; absent when the driver does not tell. */
  readonly createdAt?: string | undefined;
}
