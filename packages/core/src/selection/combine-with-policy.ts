import { type ApiResource, groupResourceOf } from '../model/kubernetes.ts';
import { createResourceList } from './resource-list.ts';
import type { ScopedResourceLists } from './scoped-resource-filter.ts';

/**
 * Adds the lists of a resource policy to those of a backup, which come first: an entry of the policy counts only where no
 * list of the backup, of the entry's scope, says anything about it.
 */
export function combineWithPolicy(
  backup: ScopedResourceLists,
  policy: ScopedResourceLists,
  resolveResource: (name: string) => ApiResource | undefined,
): ScopedResourceLists {
  const added = (
    names: readonly string[],
    own: readonly string[],
    namespaced: boolean,
  ): readonly string[] => {
    const list = createResourceList(own, { resolveResource, purpose: 'include', namespaced });
    return names.filter((name) => {
      const resource = resolveResource(name);
      return !list.matchesName(resource === undefined ? name : groupResourceOf(resource));
    });
  };
  const ofNamespaces = [...backup.includedNamespaced, ...backup.excludedNamespaced];
  const ofCluster = [...backup.includedCluster, ...backup.excludedCluster];
  return {
    includedNamespaced: [
      ...backup.includedNamespaced,
      ...added(policy.includedNamespaced, ofNamespaces, true),
    ],
    excludedNamespaced: [
      ...backup.excludedNamespaced,
      ...added(policy.excludedNamespaced, ofNamespaces, true),
    ],
    includedCluster: [
      ...backup.includedCluster,
      ...added(policy.includedCluster, ofCluster, false),
    ],
    excludedCluster: [
      ...backup.excludedCluster,
      ...added(policy.excludedCluster, ofCluster, false),
    ],
  };
}
