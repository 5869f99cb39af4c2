import { stringAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

const endpointsManagedBy = 'endpoints.kubernetes.io/managed-by';
const lastChangeTriggerTime = 'endpoints.kubernetes.io/last-change-trigger-time';
const sliceManagedBy = 'endpointslice.kubernetes.io/managed-by';
const controllers: ReadonlySet<string> = new Set([
  'endpointslice-controller.k8s.io',
  'endpointslicemirroring-controller.k8s.io',
]);

/**
 * Leaves out the endpoints that controllers derive from Services: until they are corrected they would send the traffic of
 * the restored application to the pods of the original one. Velero restores them. What people wrote is restored.
 */
export const endpointsAction: RestoreItemAction = {
  name: 'lifeboat.dev/endpoints',
  appliesTo: { resources: ['endpoints', 'endpointslices.discovery.k8s.io'] },
  async execute({ itemFromBackup }) {
    const { labels = {}, annotations = {}, name, namespace } = itemFromBackup.metadata;
    const derived =
      Object.hasOwn(labels, endpointsManagedBy) ||
      Object.hasOwn(annotations, lastChangeTriggerTime) ||
      controllers.has(labels[sliceManagedBy] ?? '');
    const ofApiServer =
      namespace === 'default' &&
      (name === 'kubernetes' ||
        stringAt(itemFromBackup, ['metadata', 'labels', 'kubernetes.io/service-name']) ===
          'kubernetes');
    return derived || ofApiServer ? { skip: 'a controller derives it from its Service' } : {};
  },
};
