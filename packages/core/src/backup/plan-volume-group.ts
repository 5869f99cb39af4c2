import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import type { GroupMember } from '../snapshot/taken-group-snapshot.ts';

/** The driver that a group can be snapshotted by, or why it cannot. */
export type VolumeGroupPlan =
  | { readonly driver: string; readonly members: readonly GroupMember[] }
  | { readonly refusal: string };

/**
 * Decides whether claims can be snapshotted together: each has to be bound to a volume, and all volumes have to be of one CSI
 * driver. One that does not fit would keep the cluster from ever taking the group, so it is a refusal that names it.
 */
export function planVolumeGroup(
  claims: readonly KubernetesObject[],
  /** The PersistentVolumes, by name. */
  volumes: ReadonlyMap<string, KubernetesObject>,
): VolumeGroupPlan {
  const members: GroupMember[] = [];
  const obstacles: string[] = [];
  const byDriver = new Map<string, string[]>();
  for (const claim of claims) {
    const { name } = claim.metadata;
    const volume = volumes.get(stringAt(claim, ['spec', 'volumeName']) ?? '');
    const driver = volume && stringAt(volume, ['spec', 'csi', 'driver']);
    if (stringAt(claim, ['status', 'phase']) !== 'Bound' || volume === undefined) {
      obstacles.push(`claim ${name} is not bound to a volume`);
    } else if (driver === undefined) {
      obstacles.push(`the volume of claim ${name} does not belong to a CSI driver`);
    } else {
      members.push({ claim, volume });
      byDriver.set(driver, [...(byDriver.get(driver) ?? []), name]);
    }
  }
  if (byDriver.size > 1) {
    const drivers = [...byDriver].map(([driver, names]) => `${driver} (${names.join(', ')})`);
    obstacles.push(`its volumes are of several drivers: ${drivers.join(', ')}`);
  }
  const [driver] = byDriver.keys();
  return obstacles.length === 0 && driver !== undefined
    ? { driver, members }
    : { refusal: obstacles.length === 0 ? 'no claim carries its label' : obstacles.join('; ') };
}
