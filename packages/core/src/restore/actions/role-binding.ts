import type { KubernetesManifest } from '../../model/kubernetes.ts';
import { objectsAt, stringAt, withValueAt } from '../../model/object-path.ts';
import type { Restore } from '../../model/restore.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { targetNamespaceOf } from '../namespace-mapping.ts';

/** Lets the subjects of a RoleBinding follow the namespace mapping (velero: `velero.io/role-bindings`). */
export const roleBindingAction: RestoreItemAction = {
  name: 'velero.io/role-bindings',
  appliesTo: { resources: ['rolebindings.rbac.authorization.k8s.io'] },
  async execute({ item, restore }) {
    return { item: withMappedSubjects(item, restore) };
  },
};

/** A binding whose subjects are those of the namespaces that theirs are restored as. */
export function withMappedSubjects(
  binding: KubernetesManifest,
  { spec }: Restore,
): KubernetesManifest {
  const subjects = objectsAt(binding, ['subjects']);
  const isMapped = subjects.some((subject) => {
    const namespace = stringAt(subject, ['namespace']);
    return namespace !== undefined && targetNamespaceOf(spec, namespace) !== namespace;
  });
  if (!isMapped) {
    return binding;
  }
  return withValueAt(
    binding,
    ['subjects'],
    subjects.map((subject) => {
      const namespace = stringAt(subject, ['namespace']);
      return namespace === undefined
        ? subject
        : withValueAt(subject, ['namespace'], targetNamespaceOf(spec, namespace));
    }),
  );
}
