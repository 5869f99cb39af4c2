import type { SnapshotState } from '../model/event.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { SnapshotDiagnosis } from './diagnose.ts';

/** What is known of a snapshot when its state changes. */
export interface SnapshotDetails {
  readonly volumeSnapshotName?: string | undefined;
  readonly volumeSnapshotContentName?: string | undefined;
  readonly snapshotHandle?: string | undefined;
}

/** Receives the states of a snapshot, in order. What it throws is logged and ignored. */
export type SnapshotStateListener = (state: SnapshotState, details: SnapshotDetails) => void;

/** Receives why there is no snapshot yet. What it throws is logged and ignored. */
export type SnapshotDelayListener = (
  diagnosis: SnapshotDiagnosis,
  details: SnapshotDetails,
) => void;

/** Which volume to snapshot, and how. */
export interface TakeSnapshotRequest {
  /** The bound claim. */
  readonly claim: KubernetesObject;
  /** Its PersistentVolume, of a CSI driver. */
  readonly volume: KubernetesObject;
  readonly snapshotClass: KubernetesObject;
  /** Whether it goes before others that wait for their driver, because an application stands still for it. @default false */
  readonly urgent?: boolean | undefined;
  /** How long the storage may take to cut the snapshot. @default 600000 */
  readonly handleTimeoutMs?: number | undefined;
  /** How long it may take from then on to become ready to use. @default 14400000 */
  readonly readyTimeoutMs?: number | undefined;
  readonly onState?: SnapshotStateListener | undefined;
  /** Called while there is no handle, first after the snapshotter's `diagnoseAfterMs`, then after twice that, and so on. */
  readonly onDelay?: SnapshotDelayListener | undefined;
}

/** What is reported of a snapshot while it is taken. */
export type SnapshotReport =
  | { readonly type: SnapshotState; readonly details: SnapshotDetails }
  | {
      readonly type: 'Delayed';
      readonly diagnosis: SnapshotDiagnosis;
      readonly details: SnapshotDetails;
    };
