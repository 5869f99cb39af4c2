import type { RestoreSpec } from '../../model/restore.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import type { ArchivedVolumes } from '../archived-volumes.ts';
import { createInitRestoreHookAction } from '../hooks/init-restore-hook.ts';
import { apiServiceAction } from './api-service.ts';
import { configMapAction } from './config-map.ts';
import { customResourceDefinitionAction } from './custom-resource-definition.ts';
import { endpointsAction } from './endpoints.ts';
import { jobAction } from './job.ts';
import { createPersistentVolumeAction } from './persistent-volume.ts';
import { createPersistentVolumeClaimAction } from './persistent-volume-claim.ts';
import { podAction } from './pod.ts';
import { roleBindingAction } from './role-binding.ts';
import { secretAction } from './secret.ts';
import { serviceAction } from './service.ts';
import { serviceAccountAction } from './service-account.ts';

/** The actions that every restore runs. They use the same port as those that an application adds. */
export function createBuiltInActions(
  volumes: ArchivedVolumes,
  spec: RestoreSpec,
): readonly RestoreItemAction[] {
  return [
    apiServiceAction,
    configMapAction,
    customResourceDefinitionAction,
    endpointsAction,
    createInitRestoreHookAction(spec),
    jobAction,
    createPersistentVolumeAction(volumes),
    createPersistentVolumeClaimAction(volumes),
    podAction,
    roleBindingAction,
    secretAction,
    serviceAction,
    serviceAccountAction,
  ];
}
