import type { RestoreItemAction } from '../../ports/item-action.ts';
import { withMappedSubjects } from './role-binding.ts';

/** Lets the subjects of a ClusterRoleBinding follow the namespace mapping (velero: `velero.io/cluster-role-bindings`). */
export const clusterRoleBindingAction: RestoreItemAction = {
  name: 'velero.io/cluster-role-bindings',
  appliesTo: { resources: ['clusterrolebindings.rbac.authorization.k8s.io'] },
  execute: async ({ item, restore }) => ({ item: withMappedSubjects(item, restore) }),
};
