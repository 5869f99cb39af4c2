import type { KubernetesObject } from '../model/kubernetes.ts';
import { keepsItsVolume } from './claim-source.ts';

/** Why a PersistentVolume of a backup is not created; `undefined` when it is. */
export function whyVolumeIsLeftOut(evidence: {
  readonly volume: KubernetesObject;
  /** `backupMethod` of the volume in the backup's volume information. */
  readonly backupMethod: string | undefined;
  /** Whether the claim it was bound to was snapshotted. */
  readonly claimHasSnapshot: boolean;
}): string | undefined {
  const { volume, backupMethod, claimHasSnapshot } = evidence;
  if (claimHasSnapshot || backupMethod === 'CSISnapshot') {
    return 'a new volume is provisioned from its snapshot';
  }
  if (backupMethod === 'NativeSnapshot' || backupMethod === 'PodVolumeBackup') {
    return `its data was saved as ${backupMethod}, which cannot be read`;
  }
  return keepsItsVolume(volume)
    ? undefined
    : 'its storage was deleted with it (reclaim policy Delete), so a new volume is provisioned';
}
