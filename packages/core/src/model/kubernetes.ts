import type { JsonObject } from './json.ts';

/** A map of strings to strings: labels, annotations, StorageClass parameters. */
export interface StringMap extends JsonObject {
  readonly [key: string]: string;
}

/** `metadata.ownerReferences[]`. */
export interface OwnerReference extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** `metadata` of a stored object. Fields that this type does not name are kept as they are. */
export interface ObjectMeta extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string | null;
  readonly deletionTimestamp?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** `metadata` of an object that is yet to be created: a name or a generateName. */
export interface ManifestMeta extends JsonObject {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly finalizers?: readonly string[];
}

/**
 * Any Kubernetes object as the API server sent it: raw JSON, no field dropped or rewritten. Fields besides these are read
 * with the functions of `object-path`.
 */
export interface KubernetesObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object to create. Every {@link KubernetesObject} is one. */
export interface KubernetesManifest extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ManifestMeta;
}

/** A resource as the API paths name it: `{group: 'apps', version: 'v1', resource: 'deployments'}`; the core group is `''`. */
export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  /** Plural, lower case. */
  readonly resource: string;
}

/** One object: its resource, its name, and its namespace unless it is cluster-scoped. */
export interface ObjectReference extends GroupVersionResource {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** An object named without a version, for people and for results: `persistentvolumeclaims shop/data`. */
export interface ResourceIdentifier {
  /** `<resource>` or `<resource>.<group>`. */
  readonly groupResource: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** A resource that the API server serves, as discovery describes it. */
export interface ApiResource extends GroupVersionResource {
  readonly kind: string;
  readonly singularName: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** Names of its subresources: `status`, `scale`, … */
  readonly subresources: readonly string[];
}

/** An API group with the versions it serves, the server's preferred one first named apart. */
export interface ApiGroup {
  readonly name: string;
  readonly versions: readonly string[];
  readonly preferredVersion: string;
}

/** A group version whose resources could not be read, for example because its aggregated API server is down. */
export interface DiscoveryFailure {
  readonly group: string;
  readonly version: string;
  readonly message: string;
}

/** What an API server serves: groups in the server's order, resources of every version, and what could not be found out. */
export interface Discovery {
  readonly groups: readonly ApiGroup[];
  readonly resources: readonly ApiResource[];
  readonly failures: readonly DiscoveryFailure[];
}

/** The API server's version, from `/version`. */
export interface ClusterVersion {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
}

/** `<resource>` for the core group, else `<resource>.<group>`: the name that Velero's paths and filters use. */
export function groupResourceOf(resource: {
  readonly group: string;
  readonly resource: string;
}): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
}

/** `<version>` for the core group, else `<group>/<version>`. */
export function apiVersionOf(resource: {
  readonly group: string;
  readonly version: string;
}): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** Splits an apiVersion into group and version: `v1` has the group `''`. */
export function parseApiVersion(apiVersion: string): {
  readonly group: string;
  readonly version: string;
} {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** Names an object for a message: `persistentvolumeclaims shop/data`, `persistentvolumes pv-1`. */
export function describeObject(object: ResourceIdentifier | ObjectReference): string {
  const resource = 'groupResource' in object ? object.groupResource : groupResourceOf(object);
  return object.namespace === undefined
    ? `${resource} ${object.name}`
    : `${resource} ${object.namespace}/${object.name}`;
}

/** Names an object without its version, the form in which issues and events carry it. */
export function identifierOf(object: Omit<ObjectReference, 'version'>): ResourceIdentifier {
  return object.namespace === undefined
    ? { groupResource: groupResourceOf(object), name: object.name }
    : { groupResource: groupResourceOf(object), namespace: object.namespace, name: object.name };
}

/** A text that no other object of the cluster has, for maps and sets. */
export function identifierKey({ groupResource, namespace = '', name }: ResourceIdentifier): string {
  return `${groupResource}/${namespace}/${name}`;
}

/** Points at an object of a resource; the namespace comes from the object itself. */
export function referenceTo(
  resource: GroupVersionResource,
  object: KubernetesObject,
): ObjectReference {
  const { group, version, resource: plural } = resource;
  const { name, namespace } = object.metadata;
  return namespace === undefined
    ? { group, version, resource: plural, name }
    : { group, version, resource: plural, namespace, name };
}
