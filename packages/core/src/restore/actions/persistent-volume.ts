import type { KubernetesManifest } from '../../model/kubernetes.ts';
import { KubernetesAnnotation } from '../../model/labels.ts';
import { objectAt, stringAt, withoutValueAt, withValueAt } from '../../model/object-path.ts';
import type { RestoreSpec } from '../../model/restore.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import type { ArchivedVolumes } from '../archived-volumes.ts';
import { targetNamespaceOf } from '../namespace-mapping.ts';

/**
 * Leaves out the volumes whose claims get new ones, and frees the others from the claim object they were bound to, so that
 * the restored claim of that name binds (velero: the PersistentVolume rules of its restore).
 */
export function createPersistentVolumeAction(volumes: ArchivedVolumes): RestoreItemAction {
  return {
    name: 'lifeboat.dev/persistent-volume',
    appliesTo: { resources: ['persistentvolumes'] },
    async execute({ item, itemFromBackup, restore }) {
      const reason = await volumes.whyLeftOut(itemFromBackup);
      return reason === undefined
        ? { item: withoutBoundClaim(item, restore.spec) }
        : { skip: reason };
    },
  };
}

/** A volume that waits for the claim of the same name, in the namespace to which that is mapped. */
export function withoutBoundClaim(
  volume: KubernetesManifest,
  spec: RestoreSpec,
): KubernetesManifest {
  const annotations = [KubernetesAnnotation.bindCompleted, KubernetesAnnotation.boundByController];
  const unbound = annotations.reduce(
    (result, annotation) => withoutValueAt(result, ['metadata', 'annotations', annotation]),
    volume,
  );
  const claimNamespace = stringAt(unbound, ['spec', 'claimRef', 'namespace']);
  if (objectAt(unbound, ['spec', 'claimRef']) === undefined || claimNamespace === undefined) {
    return unbound;
  }
  const withoutUid = withoutValueAt(unbound, ['spec', 'claimRef', 'uid']);
  return withValueAt(
    withoutValueAt(withoutUid, ['spec', 'claimRef', 'resourceVersion']),
    ['spec', 'claimRef', 'namespace'],
    targetNamespaceOf(spec, claimNamespace),
  );
}
