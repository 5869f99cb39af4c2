import { messageOf } from '../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../model/json.ts';
import {
  type KubernetesObject,
  parseApiVersion,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';

/** An object of an archive, or why its bytes cannot be one. */
export type ArchivedObject =
  | { readonly object: KubernetesObject; readonly problem?: undefined }
  | { readonly object?: undefined; readonly problem: string };

/**
 * Reads an archived object and holds it against the path it lies at: an archive may come from anybody, and a path that
 * promises a ConfigMap of one namespace must not bring a ClusterRole or an object of another.
 */
export function parseArchivedObject(entry: ResourceIdentifier, bytes: Uint8Array): ArchivedObject {
  let value: JsonValue;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { problem: `it is not JSON: ${messageOf(error)}` };
  }
  if (!isKubernetesObject(value)) {
    return { problem: 'it is not an object with apiVersion, kind and metadata.name' };
  }
  const problem = mismatch(entry, value);
  return problem === undefined ? { object: value } : { problem };
}

function mismatch(entry: ResourceIdentifier, object: KubernetesObject): string | undefined {
  const { name, namespace } = object.metadata;
  if (name !== entry.name) {
    return `its name is ${JSON.stringify(name)}, its path says ${JSON.stringify(entry.name)}`;
  }
  if (namespace !== entry.namespace) {
    return `its namespace is ${describeNamespace(namespace)}, its path says ${describeNamespace(entry.namespace)}`;
  }
  const { group } = parseApiVersion(object.apiVersion);
  return group === groupOf(entry.groupResource)
    ? undefined
    : `its apiVersion is ${JSON.stringify(object.apiVersion)}, its path says ${entry.groupResource}`;
}

function describeNamespace(namespace: string | undefined): string {
  return namespace === undefined ? 'not set' : JSON.stringify(namespace);
}

function groupOf(groupResource: string): string {
  const dot = groupResource.indexOf('.');
  return dot < 0 ? '' : groupResource.slice(dot + 1);
}

function isKubernetesObject(value: JsonValue): value is KubernetesObject {
  return (
    isJsonObject(value) &&
    isNonEmpty(stringAt(value, ['apiVersion'])) &&
    isNonEmpty(stringAt(value, ['kind'])) &&
    isNonEmpty(stringAt(value, ['metadata', 'name'])) &&
    isOptionalString(value, 'namespace') &&
    isStringMap(value, 'labels') &&
    isStringMap(value, 'annotations')
  );
}

function isNonEmpty(text: string | undefined): boolean {
  return text !== undefined && text !== '';
}

function isOptionalString(object: JsonObject, field: string): boolean {
  const value = metadataOf(object)[field];
  return value === undefined || typeof value === 'string';
}

function isStringMap(object: JsonObject, field: string): boolean {
  const value = metadataOf(object)[field];
  return (
    value === undefined ||
    (isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string'))
  );
}

function metadataOf(object: JsonObject): JsonObject {
  return isJsonObject(object['metadata']) ? object['metadata'] : {};
}
