import type { BackupSpec } from '../model/backup.ts';
import type { ApiResource } from '../model/kubernetes.ts';
import { arrayAt, booleanAt } from '../model/object-path.ts';
import { createGlobalResourceFilter } from './global-resource-filter.ts';
import { createScopedResourceFilter } from './scoped-resource-filter.ts';

/** Which resources are selected. */
export interface ResourceFilter {
  /** Whether the objects of a resource are listed. */
  includes(resource: ApiResource): boolean;
  /**
   * Whether objects of a resource stay out even when another object pulls them along. More permissive than listing: a
   * cluster-scoped resource is only kept out when a list says so.
   */
  excludesRelated(resource: ApiResource): boolean;
  /** Names in the lists that do not do what they seem to, and why. */
  readonly problems: readonly string[];
}

/** What the names in filter lists refer to. */
export interface ResourceFilterContext {
  /** Finds the resource that a user means by a name; `undefined` when none is served under it. */
  readonly resolveResource: (name: string) => ApiResource | undefined;
  /** Whether every namespace is selected: then a filter that says nothing of cluster-scoped objects takes them too. */
  readonly everyNamespace: boolean;
}

/** Whether a spec uses the filters of Velero before 1.11, one list for resources of both scopes. */
export function usesGlobalFilter(spec: BackupSpec): boolean {
  return (
    stringsOf(spec, 'includedResources').length > 0 ||
    stringsOf(spec, 'excludedResources').length > 0 ||
    booleanAt(spec, ['includeClusterResources']) !== undefined
  );
}

/** Creates the resource filter of a valid spec, of the kind whose fields it sets. */
export function createResourceFilter(
  spec: BackupSpec,
  context: ResourceFilterContext,
): ResourceFilter {
  return usesGlobalFilter(spec)
    ? createGlobalResourceFilter(
        {
          included: stringsOf(spec, 'includedResources'),
          excluded: stringsOf(spec, 'excludedResources'),
          includeClusterResources: booleanAt(spec, ['includeClusterResources']),
        },
        context,
      )
    : createScopedResourceFilter(
        {
          includedNamespaced: stringsOf(spec, 'includedNamespaceScopedResources'),
          excludedNamespaced: stringsOf(spec, 'excludedNamespaceScopedResources'),
          includedCluster: stringsOf(spec, 'includedClusterScopedResources'),
          excludedCluster: stringsOf(spec, 'excludedClusterScopedResources'),
        },
        context,
      );
}

function stringsOf(spec: BackupSpec, field: string): readonly string[] {
  return arrayAt(spec, [field]).filter((name) => typeof name === 'string');
}
