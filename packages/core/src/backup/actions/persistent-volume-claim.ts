import { stringAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { BackupItemAction } from '../../ports/item-action.ts';
import { withoutVolumeSource } from '../../snapshot/manifests.ts';

/**
 * Pulls a bound claim's PersistentVolume along and removes from the claim what would tie a restored one to where this one
 * came from (velero: `velero.io/pv`, which despite its name is about claims).
 */
export const persistentVolumeClaimAction: BackupItemAction = {
  name: 'velero.io/pv',
  appliesTo: { resources: ['persistentvolumeclaims'] },
  async execute({ item }) {
    const volumeName = stringAt(item, ['spec', 'volumeName']);
    const bound = stringAt(item, ['status', 'phase']) === 'Bound' && volumeName !== undefined;
    return bound
      ? {
          item: withoutVolumeSource(item),
          additionalItems: [{ ...Resources.persistentVolumes, name: volumeName }],
        }
      : {};
  },
};
