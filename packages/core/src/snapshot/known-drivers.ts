import { isLifeboatError } from '../errors.ts';
import type { GroupVersionResource, KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';

/**
 * The CSI drivers of a cluster: those with a CSIDriver object, which a driver need not have, and the provisioners of StorageClasses.
 * A VolumeSnapshotClass proves nothing: a restore may have brought it. `undefined` when the caller may not list one of the two.
 */
export async function knownDrivers(
  cluster: Cluster,
  options: CallOptions = {},
): Promise<ReadonlySet<string> | undefined> {
  const drivers = await listIfAllowed(cluster, Resources.csiDrivers, options);
  const storageClasses = await listIfAllowed(cluster, Resources.storageClasses, options);
  return drivers === undefined || storageClasses === undefined
    ? undefined
    : driversIn(drivers, storageClasses);
}

/** The names of drivers that CSIDriver objects and StorageClasses tell. */
export function driversIn(
  csiDrivers: readonly KubernetesObject[],
  storageClasses: readonly KubernetesObject[],
): ReadonlySet<string> {
  return new Set([
    ...csiDrivers.map(({ metadata }) => metadata.name),
    ...storageClasses.flatMap((storageClass) => stringAt(storageClass, ['provisioner']) ?? []),
  ]);
}

/** Lists a resource; `undefined` when the cluster lacks it, or the caller may not. */
export async function listIfAllowed(
  cluster: Cluster,
  resource: GroupVersionResource,
  options: CallOptions,
): Promise<readonly KubernetesObject[] | undefined> {
  try {
    return await Array.fromAsync(cluster.list(resource, options));
  } catch (error) {
    if (isLifeboatError(error, 'NotFound') || isLifeboatError(error, 'Forbidden')) {
      return undefined;
    }
    throw error;
  }
}
