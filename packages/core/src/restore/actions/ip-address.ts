import type { RestoreItemAction } from '../../ports/item-action.ts';

const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
const allocator = 'ipallocator.k8s.io';

/**
 * Leaves out the IPAddresses in which the API server keeps account of the cluster IPs of Services: restored Services get others, and
 * the old ones would be held for nobody. Velero restores them. What others registered is restored.
 */
export const ipAddressAction: RestoreItemAction = {
  name: 'lifeboat.dev/ip-address',
  appliesTo: { resources: ['ipaddresses.networking.k8s.io'] },
  async execute({ itemFromBackup }) {
    return itemFromBackup.metadata.labels?.[managedByLabel] === allocator
      ? { skip: 'the API server makes it for its Service' }
      : {};
  },
};
