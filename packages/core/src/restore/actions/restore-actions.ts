import type { StringMap } from '../../model/kubernetes.ts';
import type { RestoreSpec } from '../../model/restore.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { createInitRestoreHookAction } from '../hooks/init-restore-hook.ts';
import { admissionWebhookConfigurationAction } from './admission-webhook-configuration.ts';
import { apiServiceAction } from './api-service.ts';
import { createChangeImageNameAction } from './change-image-name.ts';
import { createChangeNodeAction } from './change-node.ts';
import { createChangeStorageClassAction } from './change-storage-class.ts';
import { clusterRoleBindingAction } from './cluster-role-binding.ts';
import { configMapAction } from './config-map.ts';
import { customResourceDefinitionAction } from './custom-resource-definition.ts';
import { endpointsAction } from './endpoints.ts';
import { ipAddressAction } from './ip-address.ts';
import { jobAction } from './job.ts';
import { podAction } from './pod.ts';
import { podVolumeRestoreAction } from './pod-volume-restore.ts';
import { roleBindingAction } from './role-binding.ts';
import { secretAction } from './secret.ts';
import { serviceAction } from './service.ts';
import { serviceAccountAction } from './service-account.ts';

/**
 * The built-in item actions of a restore, but for those of claims and volumes, which need what only a running restore knows. Each does
 * what the action of Velero with its name does, except for what docs/reference/differences-from-velero.md says. Every restore runs those
 * that take no argument; `initRestoreHook` with its own spec; those of mappings when it has some.
 */
export interface BuiltInRestoreActions {
  readonly admissionWebhookConfiguration: RestoreItemAction;
  readonly apiService: RestoreItemAction;
  readonly clusterRoleBinding: RestoreItemAction;
  readonly configMap: RestoreItemAction;
  readonly customResourceDefinition: RestoreItemAction;
  readonly endpoints: RestoreItemAction;
  readonly ipAddress: RestoreItemAction;
  readonly job: RestoreItemAction;
  readonly pod: RestoreItemAction;
  readonly podVolumeRestore: RestoreItemAction;
  readonly roleBinding: RestoreItemAction;
  readonly secret: RestoreItemAction;
  readonly service: RestoreItemAction;
  readonly serviceAccount: RestoreItemAction;
  readonly changeImageName: (mapping: StringMap) => RestoreItemAction;
  readonly changeNode: (mapping: StringMap) => RestoreItemAction;
  readonly changeStorageClass: (mapping: StringMap) => RestoreItemAction;
  readonly initRestoreHook: (spec: RestoreSpec) => RestoreItemAction;
}

/** See {@link BuiltInRestoreActions}. */
export const RestoreActions: BuiltInRestoreActions = {
  admissionWebhookConfiguration: admissionWebhookConfigurationAction,
  apiService: apiServiceAction,
  clusterRoleBinding: clusterRoleBindingAction,
  configMap: configMapAction,
  customResourceDefinition: customResourceDefinitionAction,
  endpoints: endpointsAction,
  ipAddress: ipAddressAction,
  job: jobAction,
  pod: podAction,
  podVolumeRestore: podVolumeRestoreAction,
  roleBinding: roleBindingAction,
  secret: secretAction,
  service: serviceAction,
  serviceAccount: serviceAccountAction,
  changeImageName: createChangeImageNameAction,
  changeNode: createChangeNodeAction,
  changeStorageClass: createChangeStorageClassAction,
  initRestoreHook: createInitRestoreHookAction,
};
