import { randomInt } from 'node:crypto';
import { isJsonArray, isJsonObject, type JsonObject, jsonEquals } from '../../model/json.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import {
  arrayAt,
  numberAt,
  objectAt,
  withoutValueAt,
  withValueAt,
} from '../../model/object-path.ts';
import { type ApiCall, badRequestError, conflictError } from './api-errors.ts';
import { type ResourceDefinition, type ServedResource } from './resource-definition.ts';

const suffixCharacters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const longestGeneratedBase = 58;
/** Fields of metadata that a caller cannot change. */
const serverOwned = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'selfLink',
] as const;

/** Five random characters, as the API server appends them to a generateName. */
export function randomSuffix(): string {
  return Array.from({ length: suffixLength }, () =>
    suffixCharacters.charAt(randomInt(suffixCharacters.length)),
  ).join('');
}

/** A name from a generateName, whose base is cut so that the name has at most 63 characters. */
export function generatedName(generateName: string): string {
  return generateName.slice(0, longestGeneratedBase) + randomSuffix();
}

/** Whether an object has no finalizer left, so that its deletion is its end. */
export function isReadyToGo(object: KubernetesObject, { table }: ResourceDefinition): boolean {
  const { deletionTimestamp } = object.metadata;
  return (
    deletionTimestamp !== undefined &&
    arrayAt(object, ['metadata', 'finalizers']).length === 0 &&
    (table !== 'namespaces' || arrayAt(object, ['spec', 'finalizers']).length === 0) &&
    (numberAt(object, ['metadata', 'deletionGracePeriodSeconds']) ?? 0) === 0
  );
}

/** Checks what a caller says of an object's identity against the object, and keeps what only the server sets. */
export function keepIdentity(
  object: KubernetesObject,
  before: KubernetesObject,
  call: ApiCall,
): KubernetesObject {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  if (name !== before.metadata.name || namespace !== before.metadata.namespace) {
    throw badRequestError(call, 'the name and namespace of an object cannot be changed');
  }
  if (object.apiVersion !== before.apiVersion || object.kind !== before.kind) {
    throw badRequestError(call, 'the apiVersion and kind of an object cannot be changed');
  }
  if (uid !== undefined && uid !== before.metadata.uid) {
    throw conflictError(
      call,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${String(before.metadata.uid)}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
    throw conflictError(
      call,
      'the object has been modified; apply the change to the latest version',
    );
  }
  const metadata: JsonObject = {
    ...object.metadata,
    ...Object.fromEntries(serverOwned.map((field) => [field, before.metadata[field]])),
  };
  return withValueAt(object, ['metadata'], metadata);
}

/** The object with the next generation if a change of it counts. */
export function withGeneration(
  object: KubernetesObject,
  before: KubernetesObject,
  definition: ResourceDefinition,
): KubernetesObject {
  if (!definition.countsGenerations || jsonEquals(desiredState(object), desiredState(before))) {
    return object;
  }
  const generation = (numberAt(before, ['metadata', 'generation']) ?? 0) + 1;
  return withValueAt(object, ['metadata', 'generation'], generation);
}

/** Whether two states of an object are the same. */
export function isUnchanged(object: KubernetesObject, before: KubernetesObject): boolean {
  const comparable = (value: KubernetesObject): JsonObject =>
    withoutValueAt(value, ['metadata', 'resourceVersion']);
  return jsonEquals(comparable(object), comparable(before));
}

/** The object in the version of the request: versions differ in their apiVersion alone. */
export function inVersion(
  object: KubernetesObject,
  { definition, version }: ServedResource,
): KubernetesObject {
  const apiVersion = definition.group === '' ? version : `${definition.group}/${version}`;
  return object.apiVersion === apiVersion
    ? object
    : withValueAt(object, ['apiVersion'], apiVersion);
}

/** The metadata of a new object without what only the server sets. */
export function ownMetadata(manifest: JsonObject): JsonObject {
  const dropped = new Set<string>([...serverOwned, 'resourceVersion', 'managedFields']);
  const metadata = objectAt(manifest, ['metadata']) ?? {};
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !dropped.has(key)));
}

/** The object without members of its metadata that say nothing, such as an empty list of finalizers. */
export function withTidyMetadata(object: KubernetesObject): KubernetesObject {
  const members = Object.entries(object.metadata);
  const kept = members.filter(([, value]) => value !== null && !isEmptyMember(value));
  return kept.length === members.length
    ? object
    : withValueAt(object, ['metadata'], Object.fromEntries(kept));
}

function isEmptyMember(value: JsonObject[string]): boolean {
  return (
    value === '' ||
    (isJsonArray(value) && value.length === 0) ||
    (isJsonObject(value) && Object.keys(value).length === 0)
  );
}

function desiredState(object: KubernetesObject): JsonObject {
  const { metadata: _metadata, status: _status, apiVersion: _apiVersion, ...desired } = object;
  return desired;
}
