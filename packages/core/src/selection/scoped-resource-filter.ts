import { type ApiResource, groupResourceOf } from '../model/kubernetes.ts';
import type { ResourceFilter, ResourceFilterContext } from './resource-filter.ts';
import { createResourceList, type ResourceList } from './resource-list.ts';
import { isSnapshotResource } from './snapshot-resources.ts';

/** The filter fields of Velero since 1.11. */
export interface ScopedResourceLists {
  /** Empty: every namespaced resource. */
  readonly includedNamespaced: readonly string[];
  readonly excludedNamespaced: readonly string[];
  /** Empty: every cluster-scoped resource when every namespace is selected and no list says anything, else none. */
  readonly includedCluster: readonly string[];
  readonly excludedCluster: readonly string[];
}

/**
 * Creates the filter of a pair of lists for each scope.
 *
 * A backup of every namespace without any filter takes all cluster-scoped objects, as Velero documents. Velero 1.17 and 1.18
 * do not: they add the snapshot resources to the lists themselves and then find that the lists are not empty. Here these
 * two names do not count.
 */
export function createScopedResourceFilter(
  lists: ScopedResourceLists,
  { resolveResource, everyNamespace }: ResourceFilterContext,
): ResourceFilter {
  const inclusion = (names: readonly string[], namespaced: boolean): ResourceList =>
    createResourceList(names, { resolveResource, purpose: 'include', namespaced });
  const exclusion = (names: readonly string[], namespaced: boolean): ResourceList =>
    createResourceList(
      names.filter((name) => !isSnapshotResource(name)),
      { resolveResource, purpose: 'exclude', namespaced },
    );
  const includedNamespaced = inclusion(lists.includedNamespaced, true);
  const excludedNamespaced = exclusion(lists.excludedNamespaced, true);
  const includedCluster = inclusion(lists.includedCluster, false);
  const excludedCluster = exclusion(lists.excludedCluster, false);
  const all = [includedNamespaced, excludedNamespaced, includedCluster, excludedCluster];
  const takesAllOfCluster = everyNamespace && all.every(({ isEmpty }) => isEmpty);

  const includesNamespaced = (resource: ApiResource): boolean =>
    !excludedNamespaced.matches(resource) &&
    (includedNamespaced.isEmpty || includedNamespaced.matches(resource));
  const includesCluster = (resource: ApiResource): boolean =>
    !excludedCluster.matches(resource) &&
    (takesAllOfCluster ||
      includedCluster.matches(resource) ||
      groupResourceOf(resource) === 'namespaces');

  return {
    problems: all.flatMap(({ problems }) => problems),
    includes(resource: ApiResource): boolean {
      if (isSnapshotResource(groupResourceOf(resource))) {
        return false;
      }
      return resource.namespaced ? includesNamespaced(resource) : includesCluster(resource);
    },
    reasonFor(resource: ApiResource): string {
      const { namespaced } = resource;
      const entry = (namespaced ? includedNamespaced : includedCluster).entryFor(resource);
      if (entry !== undefined) {
        const scope = namespaced ? 'Namespace' : 'Cluster';
        return `included${scope}ScopedResources: ${entry}`;
      }
      return namespaced ? 'every namespaced resource' : 'every resource of a full backup';
    },
    excludesRelated(resource: ApiResource): boolean {
      if (isSnapshotResource(groupResourceOf(resource))) {
        return true;
      }
      return resource.namespaced
        ? !includesNamespaced(resource)
        : excludedCluster.matches(resource);
    },
  };
}
