import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';

/** What becomes of the data of a claim. */
export type VolumeDecision =
  | { readonly action: 'snapshot'; readonly driver: string; readonly volume: KubernetesObject }
  | {
      readonly action: 'skip';
      readonly reason: 'ClaimNotBound' | 'VolumeMissing' | 'NotACsiVolume' | 'SnapshotsDisabled';
      readonly message: string;
    };

/**
 * Decides whether a claim's volume is snapshotted. A claim that is not is stored as an object all the same; Velero fails
 * such a claim when it is Pending or Lost (an intended difference).
 */
export function decideVolume(input: {
  readonly claim: KubernetesObject;
  /** The bound PersistentVolume; absent when the claim has none or it is gone. */
  readonly volume: KubernetesObject | undefined;
  /** `spec.snapshotVolumes` of the backup; only an explicit `false` turns snapshots off. */
  readonly snapshotVolumes: boolean | undefined;
}): VolumeDecision {
  const { claim, volume, snapshotVolumes } = input;
  const phase = stringAt(claim, ['status', 'phase']) ?? 'Pending';
  if (phase !== 'Bound' || stringAt(claim, ['spec', 'volumeName']) === undefined) {
    return {
      action: 'skip',
      reason: 'ClaimNotBound',
      message: `the claim is ${phase}, so there is no volume to snapshot; only the object is stored`,
    };
  }
  if (volume === undefined) {
    return {
      action: 'skip',
      reason: 'VolumeMissing',
      message: `its PersistentVolume ${stringAt(claim, ['spec', 'volumeName']) ?? ''} does not exist; only the object is stored`,
    };
  }
  const driver = stringAt(volume, ['spec', 'csi', 'driver']);
  if (driver === undefined) {
    return {
      action: 'skip',
      reason: 'NotACsiVolume',
      message: `its PersistentVolume ${volume.metadata.name} does not belong to a CSI driver, so its data cannot be snapshotted; only the object is stored`,
    };
  }
  return snapshotVolumes === false
    ? {
        action: 'skip',
        reason: 'SnapshotsDisabled',
        message: 'spec.snapshotVolumes is false; only the object is stored',
      }
    : { action: 'snapshot', driver, volume };
}
