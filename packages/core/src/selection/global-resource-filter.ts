import { type ApiResource, groupResourceOf } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { ResourceFilter, ResourceFilterContext } from './resource-filter.ts';
import { createResourceList } from './resource-list.ts';
import { isSnapshotResource } from './snapshot-resources.ts';

/** The filter fields of Velero before 1.11. */
export interface GlobalResourceLists {
  /** Empty: every resource. */
  readonly included: readonly string[];
  readonly excluded: readonly string[];
  /** Absent: cluster-scoped resources come along when every namespace is selected. */
  readonly includeClusterResources: boolean | undefined;
}

/** Creates the filter of one pair of lists for the resources of both scopes. */
export function createGlobalResourceFilter(
  lists: GlobalResourceLists,
  { resolveResource, everyNamespace }: ResourceFilterContext,
): ResourceFilter {
  const { includeClusterResources } = lists;
  const included = createResourceList(lists.included, { resolveResource, purpose: 'include' });
  const excluded = createResourceList(
    lists.excluded.filter((name) => !isSnapshotResource(name)),
    { resolveResource, purpose: 'exclude' },
  );
  const isListed = (resource: ApiResource): boolean =>
    !isSnapshotResource(groupResourceOf(resource)) &&
    !excluded.matches(resource) &&
    (included.isEmpty || included.matches(resource));

  return {
    problems: [...included.problems, ...excluded.problems],
    includes(resource: ApiResource): boolean {
      if (!isListed(resource)) {
        return false;
      }
      return (
        resource.namespaced ||
        (includeClusterResources ?? (everyNamespace || groupResourceOf(resource) === 'namespaces'))
      );
    },
    reasonFor(resource: ApiResource): string {
      const entry = included.entryFor(resource);
      if (entry !== undefined) {
        return `includedResources: ${entry}`;
      }
      return resource.namespaced || includeClusterResources === undefined
        ? 'every resource'
        : 'includeClusterResources';
    },
    excludesRelated(resource: ApiResource): boolean {
      if (resource.namespaced || includeClusterResources === undefined) {
        return isDefinition(resource) ? excluded.matches(resource) : !isListed(resource);
      }
      return (
        !includeClusterResources ||
        isSnapshotResource(groupResourceOf(resource)) ||
        excluded.matches(resource)
      );
    },
  };
}

// Whoever lists custom resources means to restore them, which takes their definitions; Velero leaves these out since 1.11.
function isDefinition(resource: ApiResource): boolean {
  return groupResourceOf(resource) === groupResourceOf(Resources.customResourceDefinitions);
}
