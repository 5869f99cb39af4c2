import type { RestoreItemAction } from '../../ports/item-action.ts';

const automanagedLabel = 'kube-aggregator.kubernetes.io/automanaged';

/** Leaves out the APIServices that every API server registers for its own groups (velero: `velero.io/apiservice`). */
export const apiServiceAction: RestoreItemAction = {
  name: 'velero.io/apiservice',
  appliesTo: { resources: ['apiservices.apiregistration.k8s.io'] },
  async execute({ itemFromBackup }) {
    const labels = itemFromBackup.metadata.labels ?? {};
    return Object.hasOwn(labels, automanagedLabel)
      ? { skip: 'the API server registers it itself' }
      : {};
  },
};
