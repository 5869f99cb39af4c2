import type { InvalidField } from '../../../errors.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../../model/json.ts';
import { arrayAt, booleanAt, objectAt, valueAt } from '../../../model/object-path.ts';
import { required, unsupported } from './invalid-fields.ts';

const preserve = ['x-kubernetes-preserve-unknown-fields'] as const;
/** What every object has, whatever its schema says. */
const always: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** Drops what a structural schema does not know, as the API server does, and sets its defaults. */
export function pruneCustomResource(object: JsonObject, schema: JsonObject): JsonObject {
  const pruned = prune(object, schema, true);
  return isJsonObject(pruned) ? pruned : object;
}

/** What is wrong with a custom resource by its schema: required fields and closed sets of values. */
export function customResourceViolations(
  value: JsonValue,
  schema: JsonObject,
  path = '',
): readonly InvalidField[] {
  const allowed = arrayAt(schema, ['enum']).filter((name) => typeof name === 'string');
  if (typeof value === 'string') {
    return allowed.length > 0 && !allowed.includes(value)
      ? [unsupported(path, value, allowed)]
      : [];
  }
  if (isJsonArray(value)) {
    const items = objectAt(schema, ['items']);
    return items === undefined
      ? []
      : value.flatMap((item, index) => customResourceViolations(item, items, `${path}[${index}]`));
  }
  if (!isJsonObject(value)) {
    return [];
  }
  const prefix = path === '' ? '' : `${path}.`;
  const missing = arrayAt(schema, ['required'])
    .filter((name) => typeof name === 'string')
    .filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => required(`${prefix}${name}`)),
    ...Object.entries(objectAt(schema, ['properties']) ?? {}).flatMap(([name, member]) => {
      const own = Object.hasOwn(value, name) ? value[name] : undefined;
      return own === undefined || !isJsonObject(member) || (path === '' && always.has(name))
        ? []
        : customResourceViolations(own, member, `${prefix}${name}`);
    }),
  ];
}

function prune(value: JsonValue, schema: JsonObject, isRoot = false): JsonValue {
  if (isJsonArray(value)) {
    const items = objectAt(schema, ['items']);
    return items === undefined ? value : value.map((item) => prune(item, items));
  }
  if (!isJsonObject(value)) {
    return value;
  }
  const properties = objectAt(schema, ['properties']) ?? {};
  const additional = valueAt(schema, ['additionalProperties']);
  const keepsUnknown =
    booleanAt(schema, preserve) === true ||
    additional === true ||
    booleanAt(schema, ['x-kubernetes-embedded-resource']) === true;
  const kept = Object.entries(value).flatMap(([key, member]): [string, JsonValue][] => {
    if (member === undefined) {
      return [];
    }
    if (isRoot && always.has(key)) {
      return [[key, member]];
    }
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (isJsonObject(own)) {
      return [[key, prune(member, own)]];
    }
    return isJsonObject(additional)
      ? [[key, prune(member, additional)]]
      : keepsUnknown
        ? [[key, member]]
        : [];
  });
  const defaults = Object.entries(properties).flatMap(([key, member]): [string, JsonValue][] => {
    const fallback = isJsonObject(member) ? valueAt(member, ['default']) : undefined;
    return fallback === undefined || Object.hasOwn(value, key) ? [] : [[key, fallback]];
  });
  return Object.fromEntries([...kept, ...defaults]);
}
