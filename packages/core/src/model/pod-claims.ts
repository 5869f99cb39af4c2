import type { KubernetesObject } from './kubernetes.ts';
import { objectsAt, stringAt } from './object-path.ts';

/**
 * The names of the claims that a pod mounts. That of a generic ephemeral volume is made of the names of pod and volume
 * (https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#persistentvolumeclaim-naming).
 */
export function claimNamesOf(pod: KubernetesObject): readonly string[] {
  return objectsAt(pod, ['spec', 'volumes']).flatMap((volume) => {
    const claimName = stringAt(volume, ['persistentVolumeClaim', 'claimName']);
    if (claimName !== undefined) {
      return [claimName];
    }
    return volume['ephemeral'] === undefined
      ? []
      : [`${pod.metadata.name}-${stringAt(volume, ['name']) ?? ''}`];
  });
}
