import {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
} from './json.ts';

/** A path into an object, one key per step: `['spec', 'csi', 'driver']`. */
export type ObjectPath = readonly [string, ...string[]];

/** The value at a path; `undefined` when a step is missing or not an object. Inherited properties are not seen. */
export function valueAt(object: JsonObject, path: ObjectPath): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) {
      return undefined;
    }
    value = value[key];
  }
  return value;
}

/** The string at a path; `undefined` when it is missing or of another type. */
export function stringAt(object: JsonObject, path: ObjectPath): string | undefined {
  const value = valueAt(object, path);
  return typeof value === 'string' ? value : undefined;
}

/** The boolean at a path; `undefined` when it is missing or of another type. */
export function booleanAt(object: JsonObject, path: ObjectPath): boolean | undefined {
  const value = valueAt(object, path);
  return typeof value === 'boolean' ? value : undefined;
}

/** The number at a path; `undefined` when it is missing, of another type, or too precise for a JavaScript number. */
export function numberAt(object: JsonObject, path: ObjectPath): number | undefined {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : undefined;
}

/** The object at a path; `undefined` when it is missing or of another type. */
export function objectAt(object: JsonObject, path: ObjectPath): JsonObject | undefined {
  const value = valueAt(object, path);
  return isJsonObject(value) ? value : undefined;
}

/** The array at a path; empty when it is missing or of another type. */
export function arrayAt(object: JsonObject, path: ObjectPath): JsonArray {
  const value = valueAt(object, path);
  return isJsonArray(value) ? value : [];
}

/** The members of the array at a path that are objects. */
export function objectsAt(object: JsonObject, path: ObjectPath): readonly JsonObject[] {
  return arrayAt(object, path).filter(isJsonObject);
}

/**
 * A copy of an object with the value at a path replaced; objects on the way are made where they are missing, and what is
 * not on the way is shared, not copied. A `__proto__` key is an ordinary property.
 */
export function withValueAt<T extends JsonObject>(object: T, path: ObjectPath, value: JsonValue): T;
export function withValueAt(object: JsonObject, path: ObjectPath, value: JsonValue): JsonObject {
  return replaceAt(object, path, value);
}

/** A copy of an object without the value at a path; the same object when there is none. */
export function withoutValueAt<T extends JsonObject>(object: T, path: ObjectPath): T;
export function withoutValueAt(object: JsonObject, path: ObjectPath): JsonObject {
  return valueAt(object, path) === undefined ? object : replaceAt(object, path, undefined);
}

function replaceAt(object: JsonObject, path: ObjectPath, value: JsonValue | undefined): JsonObject {
  const [key, next, ...rest] = path;
  const member = Object.hasOwn(object, key) ? object[key] : undefined;
  const replaced =
    next === undefined
      ? value
      : replaceAt(isJsonObject(member) ? member : {}, [next, ...rest], value);
  if (replaced !== undefined) {
    return { ...object, [key]: replaced };
  }
  const { [key]: _removed, ...kept } = object;
  return kept;
}
