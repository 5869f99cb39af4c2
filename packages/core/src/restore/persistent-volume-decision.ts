import type { KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
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

/** Why a claim cannot be bound again to the volume it had; `undefined` when nothing stands in the way. */
export function volumeObstacle(
  claim: ObjectReference,
  volumeName: string,
  volume: KubernetesObject | undefined,
): { readonly reason: string; readonly message: string } | undefined {
  if (volume === undefined) {
    return {
      reason: 'VolumeMissing',
      message: `its PersistentVolume ${volumeName} does not exist and could not be restored`,
    };
  }
  const name = stringAt(volume, ['spec', 'claimRef', 'name']);
  const namespace = stringAt(volume, ['spec', 'claimRef', 'namespace']);
  if (name === undefined) {
    return undefined;
  }
  if (name !== claim.name || namespace !== claim.namespace) {
    return {
      reason: 'VolumeInUse',
      message: `its PersistentVolume ${volumeName} belongs to the claim ${namespace ?? ''}/${name} of the target cluster`,
    };
  }
  // Binding goes by uid, and that of a claim that was deleted never comes back.
  return stringAt(volume, ['spec', 'claimRef', 'uid']) === undefined
    ? undefined
    : {
        reason: 'VolumeReserved',
        message: `its PersistentVolume ${volumeName} is still reserved for the deleted claim of that name; remove spec.claimRef.uid from the volume, then restore again`,
      };
}
