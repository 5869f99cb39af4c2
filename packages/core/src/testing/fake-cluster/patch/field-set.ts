import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonEquals,
} from '../../../model/json.ts';

/**
 * A set of fields in the form of `metadata.managedFields[].fieldsV1`: `{"f:data": {"f:color": {}}}`. A member without
 * members is a leaf. Lists are leaves, but for finalizers, whose values are members of a set.
 */
export type FieldSet = JsonObject;

const unowned: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'generateName',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
]);

/** The fields that an object sets, without those that the server alone sets. */
export function fieldsOf(object: JsonObject): FieldSet {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
  const owned = isJsonObject(metadata)
    ? Object.fromEntries(Object.entries(metadata).filter(([key]) => !unowned.has(key)))
    : {};
  return fieldsOfValue({ metadata: owned, ...rest });
}

/** The fields of an object that another one lacks or has with another value. */
export function changedFields(object: JsonObject, before: JsonObject): FieldSet {
  return keepLeaves(
    fieldsOf(object),
    (path) => !jsonEquals(read(object, path), read(before, path)),
  );
}

/** The fields of a set whose path a test accepts; what is left empty is dropped. */
export function keepLeaves(
  fields: FieldSet,
  keep: (path: readonly string[]) => boolean,
  path: readonly string[] = [],
): FieldSet {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, member]) => {
      const here = [...path, key];
      if (!isJsonObject(member) || isLeaf(member)) {
        return keep(here) ? [[key, {}]] : [];
      }
      const kept = keepLeaves(member, keep, here);
      return isLeaf(kept) ? [] : [[key, kept]];
    }),
  );
}

/** The fields in either set. */
export function unionOf(left: FieldSet, right: FieldSet): FieldSet {
  const united = new Map(Object.entries(left));
  for (const [key, member] of Object.entries(right)) {
    const known = united.get(key);
    united.set(key, isJsonObject(known) && isJsonObject(member) ? unionOf(known, member) : member);
  }
  return Object.fromEntries(united);
}

/** The fields of the first set that are not in the second. */
export function differenceOf(left: FieldSet, right: FieldSet): FieldSet {
  return keepLeaves(left, (path) => !hasField(right, path));
}

/** The paths of the leaves of a set. */
export function leavesOf(fields: FieldSet): readonly (readonly string[])[] {
  const paths: (readonly string[])[] = [];
  keepLeaves(fields, (path) => {
    paths.push(path);
    return true;
  });
  return paths;
}

/** Whether a set has a field. */
export function hasField(fields: FieldSet, path: readonly string[]): boolean {
  let member: JsonValue | undefined = fields;
  for (const key of path) {
    member = isJsonObject(member) && Object.hasOwn(member, key) ? member[key] : undefined;
  }
  return member !== undefined;
}

/** Whether a set has no field. */
export function isLeaf(fields: JsonObject): boolean {
  return Object.keys(fields).length === 0;
}

/** The value of a field in an object; of a member of a list used as a set, whether it is there. */
export function read(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const key of path) {
    if (key.startsWith('v:')) {
      return isJsonArray(value) && value.some((item) => JSON.stringify(item) === key.slice(2));
    }
    const name = key.slice(2);
    value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** Names a field as messages do: `.data.color`. */
export function describeField(path: readonly string[]): string {
  return path
    .map((key) => (key.startsWith('v:') ? `[=${key.slice(2)}]` : `.${key.slice(2)}`))
    .join('');
}

function fieldsOfValue(value: JsonValue, name = ''): FieldSet {
  if (isJsonObject(value)) {
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, member]) => {
        if (member === undefined) {
          return [];
        }
        return name === '' && key === 'metadata' && isJsonObject(member) && isLeaf(member)
          ? []
          : [[`f:${key}`, fieldsOfValue(member, key)]];
      }),
    );
  }
  return isJsonArray(value) && name === 'finalizers'
    ? Object.fromEntries(value.map((member) => [`v:${JSON.stringify(member)}`, {}]))
    : {};
}
