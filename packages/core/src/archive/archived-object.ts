import { messageOf } from '../errors.ts';
import { excerptOf } from '../internal/excerpt.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import {
  type KubernetesObject,
  parseApiVersion,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { parseUntrustedJson } from '../model/untrusted-json.ts';

/** An object of an archive, or why its bytes cannot be one. */
export type ArchivedObject =
  | { readonly object: KubernetesObject; readonly problem?: undefined }
  | { readonly object?: undefined; readonly problem: string };

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads an archived object and holds it against the path it lies at: an archive may come from anybody, and a path that
 * promises a ConfigMap of one namespace must not bring a ClusterRole or an object of another. What is nested deeper than 500 levels or
 * holds more than 1,000,000 values is none. A problem holds nothing of the content but names.
 */
export function parseArchivedObject(entry: ResourceIdentifier, bytes: Uint8Array): ArchivedObject {
  let text: string;
  let value: JsonValue;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { problem: 'it is not JSON: it is not UTF-8' };
  }
  try {
    value = parseUntrustedJson(text);
  } catch (error) {
    return { problem: messageOf(error) };
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
    return `its name is ${excerptOf(name)}, its path says ${excerptOf(entry.name)}`;
  }
  if (namespace !== entry.namespace) {
    return `its namespace is ${describeNamespace(namespace)}, its path says ${describeNamespace(entry.namespace)}`;
  }
  const { group } = parseApiVersion(object.apiVersion);
  return group === groupOf(entry.groupResource)
    ? undefined
    : `its apiVersion is ${excerptOf(object.apiVersion)}, its path says ${entry.groupResource}`;
}

function describeNamespace(namespace: string | undefined): string {
  return namespace === undefined ? 'not set' : excerptOf(namespace);
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
