import { isJsonArray, isJsonObject, type JsonObject, type JsonValue, jsonEquals } from './json.ts';

/** One operation of a JSON Patch (RFC 6902). */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string };

/**
 * The JSON Patch that turns one object into another: applied in order it yields exactly the second. Members are compared one by
 * one, elements of arrays by their place; the order of keys and `undefined` members do not count.
 */
export function jsonPatchOf(before: JsonObject, after: JsonObject): readonly JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  compare(before, after, '', operations);
  return operations;
}

function compare(
  before: JsonValue,
  after: JsonValue,
  path: string,
  operations: JsonPatchOperation[],
): void {
  if (isJsonObject(before) && isJsonObject(after)) {
    compareMembers(before, after, path, operations);
  } else if (isJsonArray(before) && isJsonArray(after)) {
    compareElements(before, after, path, operations);
  } else if (!jsonEquals(before, after)) {
    operations.push({ op: 'replace', path, value: after });
  }
}

function compareMembers(
  before: JsonObject,
  after: JsonObject,
  path: string,
  operations: JsonPatchOperation[],
): void {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const member = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const left = ownMember(before, key);
    const right = ownMember(after, key);
    if (left === undefined) {
      if (right !== undefined) {
        operations.push({ op: 'add', path: member, value: right });
      }
    } else if (right === undefined) {
      operations.push({ op: 'remove', path: member });
    } else {
      compare(left, right, member, operations);
    }
  }
}

function compareElements(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  path: string,
  operations: JsonPatchOperation[],
): void {
  after.forEach((value, index) => {
    const present = before[index];
    if (present === undefined) {
      operations.push({ op: 'add', path: `${path}/${index}`, value });
    } else {
      compare(present, value, `${path}/${index}`, operations);
    }
  });
  // From the end, so that the places of those before stay what they are.
  for (let index = before.length - 1; index >= after.length; index -= 1) {
    operations.push({ op: 'remove', path: `${path}/${index}` });
  }
}

function ownMember(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
