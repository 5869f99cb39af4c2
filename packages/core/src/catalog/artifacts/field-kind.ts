import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** The type that a field of a stored object must have. */
export type FieldKind = 'string' | 'boolean' | 'number' | 'object' | 'strings' | 'stringMap';

/** Says which field of an object has the wrong type; `undefined` when all that are present fit. */
export function misfitOf(
  path: string,
  object: JsonObject,
  fields: Readonly<Record<string, FieldKind>>,
): string | undefined {
  for (const [name, kind] of Object.entries(fields)) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value !== undefined && !fits(value, kind)) {
      return `${path}.${name} must be ${descriptions[kind]}`;
    }
  }
  return undefined;
}

const descriptions: Readonly<Record<FieldKind, string>> = {
  string: 'a string',
  boolean: 'true or false',
  number: 'a number',
  object: 'an object',
  strings: 'a list of strings',
  stringMap: 'a map of strings',
};

function fits(value: JsonValue, kind: FieldKind): boolean {
  switch (kind) {
    case 'object':
      return isJsonObject(value);
    case 'strings':
      return isJsonArray(value) && value.every(isString);
    case 'stringMap':
      return isJsonObject(value) && Object.values(value).every(isString);
    case 'string':
    case 'boolean':
    case 'number':
      return typeof value === kind;
  }
}

function isString(value: JsonValue | undefined): boolean {
  return typeof value === 'string';
}
