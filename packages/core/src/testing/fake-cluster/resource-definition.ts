import type { JsonObject } from '../../model/json.ts';
import {
  type ApiResource,
  type GroupVersionResource,
  groupResourceOf,
} from '../../model/kubernetes.ts';

/** A resource as the fake API server serves it, in all its versions. */
export interface ResourceDefinition {
  readonly group: string;
  /** The preferred version first. */
  readonly versions: readonly string[];
  readonly resource: string;
  readonly kind: string;
  readonly singularName: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
  /** Whether the kind has `metadata.generation`. */
  readonly countsGenerations: boolean;
  /** Name of the table that holds the objects; two resources may share one, as the two Event resources do. */
  readonly table: string;
  /** Schemas of a custom resource, per version. Absent for a built-in one. */
  readonly schemas?: ReadonlyMap<string, JsonObject> | undefined;
}

/** A resource definition in one version. */
export interface ServedResource {
  readonly definition: ResourceDefinition;
  readonly version: string;
}

/** Whether `status` is written through its own subresource only. */
export function hasStatusSubresource(definition: ResourceDefinition): boolean {
  return definition.subresources.includes('status');
}

/** The resource with group and version, as the Cluster port names it. */
export function groupVersionResourceOf({
  definition,
  version,
}: ServedResource): GroupVersionResource {
  return { group: definition.group, version, resource: definition.resource };
}

/** What discovery says of a resource in one version. */
export function apiResourceOf({ definition, version }: ServedResource): ApiResource {
  const { group, resource, kind, singularName, shortNames, categories } = definition;
  const { namespaced, verbs, subresources } = definition;
  return {
    group,
    version,
    resource,
    kind,
    singularName,
    shortNames,
    categories,
    namespaced,
    verbs,
    subresources,
  };
}

/** The table of a resource unless it shares another's. */
export function tableOf(resource: { readonly group: string; readonly resource: string }): string {
  return groupResourceOf(resource);
}
