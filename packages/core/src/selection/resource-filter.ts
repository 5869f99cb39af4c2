import type { BackupSpec } from '../model/backup.ts';
import type { JsonObject } from '../model/json.ts';
import type { ApiResource } from '../model/kubernetes.ts';
import { arrayAt, booleanAt } from '../model/object-path.ts';
import type { IncludeExcludePolicy } from '../model/resource-policy.ts';
import { combineWithPolicy } from './combine-with-policy.ts';
import { createGlobalResourceFilter } from './global-resource-filter.ts';
import { createScopedResourceFilter, type ScopedResourceLists } from './scoped-resource-filter.ts';

/** Which resources are selected. */
export interface ResourceFilter {
  /** Whether the objects of a resource are listed. */
  includes(resource: ApiResource): boolean;
  /** What of the spec lets an included resource in, for people: `includedResources: deploy`, `every namespaced resource`. */
  reasonFor(resource: ApiResource): string;
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
  /** Filters of a resource policy, which count where those of the spec say nothing. They do not go with the fields of both scopes. */
  readonly policy?: IncludeExcludePolicy | undefined;
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
  if (usesGlobalFilter(spec)) {
    return createGlobalResourceFilter(
      {
        included: stringsOf(spec, 'includedResources'),
        excluded: stringsOf(spec, 'excludedResources'),
        includeClusterResources: booleanAt(spec, ['includeClusterResources']),
      },
      context,
    );
  }
  const { policy, resolveResource } = context;
  const lists = scopedLists(spec);
  return createScopedResourceFilter(
    policy === undefined ? lists : combineWithPolicy(lists, scopedLists(policy), resolveResource),
    context,
  );
}

function scopedLists(source: JsonObject): ScopedResourceLists {
  return {
    includedNamespaced: stringsOf(source, 'includedNamespaceScopedResources'),
    excludedNamespaced: stringsOf(source, 'excludedNamespaceScopedResources'),
    includedCluster: stringsOf(source, 'includedClusterScopedResources'),
    excludedCluster: stringsOf(source, 'excludedClusterScopedResources'),
  };
}

function stringsOf(source: JsonObject, field: string): readonly string[] {
  return arrayAt(source, [field]).filter((name) => typeof name === 'string');
}
