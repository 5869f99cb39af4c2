import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import type { VolumePolicy } from '../model/resource-policy.ts';
import {
  claimVolumeFacts,
  matchVolumePolicy,
  type VolumePolicyMatch,
} from '../selection/volume-policy.ts';

/** What becomes of the data of a claim. */
export type VolumeDecision =
  | { readonly action: 'snapshot'; readonly driver: string; readonly volume: KubernetesObject }
  /** A volume policy asks for it: there is nothing to warn of. */
  | { readonly action: 'leaveOut'; readonly message: string }
  | {
      readonly action: 'skip';
      readonly reason:
        | 'ClaimNotBound'
        | 'VolumeMissing'
        | 'NotACsiVolume'
        | 'SnapshotsDisabled'
        | 'VolumeActionNotDone';
      readonly message: string;
    };

/** What {@link decideVolume} decides from. */
export interface VolumeDecisionInput {
  readonly claim: KubernetesObject;
  /** The bound PersistentVolume; absent when the claim has none or it is gone. */
  readonly volume: KubernetesObject | undefined;
  /** `spec.snapshotVolumes` of the backup; an explicit `false` turns off the snapshots that no volume policy asks for. */
  readonly snapshotVolumes: boolean | undefined;
  /** The first whose conditions hold has the first word. @default none */
  readonly policies?: readonly VolumePolicy[] | undefined;
  /** The item action that does what a policy asks for and this engine does not do. @default none */
  readonly handledBy?: string | undefined;
}

/**
 * Decides whether a claim's volume is snapshotted. A claim that is not is stored as an object all the same; Velero fails
 * such a claim when it is Pending or Lost (an intended difference).
 */
export function decideVolume(input: VolumeDecisionInput): VolumeDecision {
  const { claim, volume, snapshotVolumes, policies = [], handledBy } = input;
  const policy = matchVolumePolicy(policies, claimVolumeFacts(claim, volume));
  return (
    (policy && decideByPolicy(policy, handledBy)) ??
    decideByVolume(claim, volume, snapshotVolumes !== false || policy?.action === 'snapshot')
  );
}

function decideByPolicy(
  { action, index }: VolumePolicyMatch,
  handledBy: string | undefined,
): VolumeDecision | undefined {
  const policy = `volumePolicies[${index}] of the resource policy`;
  switch (action) {
    case 'snapshot':
      return undefined;
    case 'skip':
      return { action: 'leaveOut', message: `${policy} skips it; only the object is stored` };
    case 'fs-backup':
    case 'custom':
      if (handledBy !== undefined) {
        const message = `${policy} asks for ${action}, which item action ${handledBy} does`;
        return { action: 'leaveOut', message };
      }
      return {
        action: 'skip',
        reason: 'VolumeActionNotDone',
        message: `${policy} asks for ${action}, which is not done by this engine; only the object is stored`,
      };
  }
}

function decideByVolume(
  claim: KubernetesObject,
  volume: KubernetesObject | undefined,
  wantsSnapshot: boolean,
): VolumeDecision {
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
  return wantsSnapshot
    ? { action: 'snapshot', driver, volume }
    : {
        action: 'skip',
        reason: 'SnapshotsDisabled',
        message: 'spec.snapshotVolumes is false; only the object is stored',
      };
}
