import {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  jsonEquals,
} from './json.ts';
import { PatchFailure } from './patch-failure.ts';

type Pointer = readonly string[];
type Change = (parent: JsonObject | JsonArray, token: string) => JsonValue;

/**
 * Applies a JSON patch (RFC 6902) and returns the changed copy.
 *
 * @throws PatchFailure when an operation is malformed, a path does not exist, or a test fails.
 */
export function applyJsonPatch(target: JsonValue, operations: JsonArray): JsonValue {
  return operations.reduce(applyOperation, target);
}

function applyOperation(target: JsonValue, operation: JsonValue): JsonValue {
  if (!isJsonObject(operation)) {
    throw new PatchFailure('an operation of a JSON patch must be an object', 'Malformed');
  }
  const path = pointerOf(operation, 'path');
  switch (operation['op']) {
    case 'add':
      return changeAt(target, path, insert(valueOf(operation)));
    case 'remove':
      return changeAt(target, path, remove);
    case 'replace':
      return changeAt(target, path, replace(valueOf(operation)));
    case 'move': {
      const from = pointerOf(operation, 'from');
      return changeAt(changeAt(target, from, remove), path, insert(read(target, from)));
    }
    case 'copy':
      return changeAt(target, path, insert(read(target, pointerOf(operation, 'from'))));
    case 'test':
      test(target, path, valueOf(operation));
      return target;
    default:
      throw new PatchFailure(
        `unexpected operation ${JSON.stringify(operation['op'])}`,
        'Malformed',
      );
  }
}

// A location that does not exist is equal to nothing (RFC 6902, section 4.6).
function test(target: JsonValue, path: Pointer, value: JsonValue): void {
  if (!jsonEquals(path.reduce<JsonValue | undefined>(childIfAny, target), value)) {
    throw new PatchFailure(`testing value /${path.join('/')} failed`, 'TestFailed');
  }
}

function insert(value: JsonValue): Change {
  return (parent, token) =>
    isJsonArray(parent)
      ? parent.toSpliced(
          token === '-' ? parent.length : indexIn(parent.length + 1, token),
          0,
          value,
        )
      : withMember(parent, token, value);
}

function replace(value: JsonValue): Change {
  return (parent, token) =>
    isJsonArray(parent)
      ? parent.with(indexIn(parent.length, token), value)
      : withMember(parent, existing(parent, token), value);
}

function remove(parent: JsonObject | JsonArray, token: string): JsonValue {
  return isJsonArray(parent)
    ? parent.toSpliced(indexIn(parent.length, token), 1)
    : withMember(parent, existing(parent, token), undefined);
}

function changeAt(target: JsonValue, [token, ...rest]: Pointer, change: Change): JsonValue {
  if (token === undefined) {
    throw new PatchFailure('the whole object cannot be replaced', 'PathMissing');
  }
  if (!isJsonObject(target) && !isJsonArray(target)) {
    throw new PatchFailure(`the path has no member ${token}`, 'PathMissing');
  }
  if (rest.length === 0) {
    return change(target, token);
  }
  const changed = changeAt(child(target, token), rest, change);
  return isJsonArray(target)
    ? target.with(indexIn(target.length, token), changed)
    : withMember(target, token, changed);
}

function read(target: JsonValue, pointer: Pointer): JsonValue {
  return pointer.reduce(child, target);
}

function childIfAny(parent: JsonValue | undefined, token: string): JsonValue | undefined {
  if (isJsonArray(parent)) {
    return isIndex(token) ? parent[Number(token)] : undefined;
  }
  return isJsonObject(parent) && Object.hasOwn(parent, token) ? parent[token] : undefined;
}

function child(parent: JsonValue, token: string): JsonValue {
  const value = childIfAny(parent, token);
  if (value === undefined) {
    throw new PatchFailure(`the path has no member ${token}`, 'PathMissing');
  }
  return value;
}

function existing(parent: JsonObject, token: string): string {
  child(parent, token);
  return token;
}

function withMember(parent: JsonObject, key: string, value: JsonValue | undefined): JsonObject {
  const members = new Map(Object.entries(parent));
  if (value === undefined) {
    members.delete(key);
  } else {
    members.set(key, value);
  }
  return Object.fromEntries(members);
}

function indexIn(length: number, token: string): number {
  const index = isIndex(token) ? Number(token) : Number.NaN;
  if (!(index < length)) {
    throw new PatchFailure(`${token} is not an index of the array`, 'PathMissing');
  }
  return index;
}

function isIndex(token: string): boolean {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(token);
}

function pointerOf(operation: JsonObject, field: 'path' | 'from'): Pointer {
  const pointer = operation[field];
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
    throw new PatchFailure(`${field} must be a JSON pointer`, 'Malformed');
  }
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueOf(operation: JsonObject): JsonValue {
  const value = operation['value'];
  if (value === undefined) {
    throw new PatchFailure(
      `operation ${JSON.stringify(operation['op'])} needs a value`,
      'Malformed',
    );
  }
  return value;
}
