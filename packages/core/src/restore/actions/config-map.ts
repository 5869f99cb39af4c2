import type { RestoreItemAction } from '../../ports/item-action.ts';

/**
 * Leaves out the ConfigMap in which every namespace finds the certificates of its cluster: in another cluster those of the
 * backup would be wrong, and the one it belongs to publishes them itself.
 */
export const configMapAction: RestoreItemAction = {
  name: 'lifeboat.dev/config-map',
  appliesTo: { resources: ['configmaps'] },
  async execute({ itemFromBackup }) {
    return itemFromBackup.metadata.name === 'kube-root-ca.crt'
      ? { skip: 'the cluster publishes its own certificates' }
      : {};
  },
};
