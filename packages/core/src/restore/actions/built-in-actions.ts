import type { RestoreSpec } from '../../model/restore.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import type { ArchivedVolumes } from '../archived-volumes.ts';
import { createPersistentVolumeAction } from './persistent-volume.ts';
import { createPersistentVolumeClaimAction } from './persistent-volume-claim.ts';
import { RestoreActions } from './restore-actions.ts';

/** The actions that every restore runs. They use the same port as those that an application adds. */
export function createBuiltInActions(
  volumes: ArchivedVolumes,
  spec: RestoreSpec,
): readonly RestoreItemAction[] {
  const {
    changeImageName: _images,
    changeNode: _nodes,
    changeStorageClass: _classes,
    initRestoreHook,
    ...fixed
  } = RestoreActions;
  return [
    ...Object.values(fixed),
    initRestoreHook(spec),
    createPersistentVolumeAction(volumes),
    createPersistentVolumeClaimAction(volumes),
  ];
}
