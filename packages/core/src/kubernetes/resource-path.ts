import { ClusterError } from '../errors.ts';
import {
  describeObject,
  type GroupVersionResource,
  groupResourceOf,
  type ObjectReference,
} from '../model/kubernetes.ts';

/** Query parameters; those that are `undefined` are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The path of a resource's objects, of one namespace or of all.
 *
 * @throws {ClusterError} code Invalid when a part could not be a path component.
 */
export function collectionPath(
  operation: string,
  resource: GroupVersionResource,
  namespace: string | undefined,
): string {
  const target = describeCollection(resource, namespace);
  const segment = (name: string): string => pathSegment(operation, target, name);
  const { group, version, resource: plural } = resource;
  const root =
    group === '' ? `/api/${segment(version)}` : `/apis/${segment(group)}/${segment(version)}`;
  return namespace === undefined
    ? `${root}/${segment(plural)}`
    : `${root}/namespaces/${segment(namespace)}/${segment(plural)}`;
}

/**
 * The path of one object or of its subresource.
 *
 * @throws {ClusterError} code Invalid when a part could not be a path component.
 */
export function objectPath(
  operation: string,
  reference: ObjectReference,
  subresource?: string,
): string {
  const target = describeObject(reference);
  const path = `${collectionPath(operation, reference, reference.namespace)}/${pathSegment(operation, target, reference.name)}`;
  return subresource === undefined
    ? path
    : `${path}/${pathSegment(operation, target, subresource)}`;
}

/** Appends a query to a path. */
export function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) {
      parameters.append(name, String(value));
    }
  }
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}

/** Names a resource's objects for a message: `configmaps in shop`, `persistentvolumes`. */
export function describeCollection(
  resource: GroupVersionResource,
  namespace: string | undefined,
): string {
  const name = groupResourceOf(resource);
  return namespace === undefined ? name : `${name} in ${namespace}`;
}

// An empty name would turn a read of one object into a list, a dot would climb: neither reaches the server.
function pathSegment(operation: string, target: string, name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/%]/.test(name)) {
    throw new ClusterError(
      `${operation} ${target}: ${JSON.stringify(name)} is not a name that an API path can hold`,
      { code: 'Invalid', operation, target },
    );
  }
  return encodeURIComponent(name);
}
