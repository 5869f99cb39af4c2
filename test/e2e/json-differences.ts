import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from '@lifeboat/core';
import { isJsonObject } from '../../packages/core/src/model/json.ts';

/** One place in which two JSON values differ. A side that does not have it is `undefined`. */
export interface JsonDifference {
  /** The keys that lead there, joined by blanks, since keys themselves have dots and slashes. */
  readonly at: string;
  readonly ours: JsonValue | undefined;
  readonly reference: JsonValue | undefined;
}

/** Lists where two JSON values differ: the outermost places that only one has, and the scalars that are not equal. */
export function jsonDifferences(
  ours: JsonValue | undefined,
  reference: JsonValue | undefined,
  at = '',
): readonly JsonDifference[] {
  const mine = membersOf(ours);
  const theirs = membersOf(reference);
  const isSameKind = Array.isArray(ours) === Array.isArray(reference);
  if (mine === undefined || theirs === undefined || !isSameKind) {
    return isDeepStrictEqual(ours, reference) ? [] : [{ at, ours, reference }];
  }
  return [...new Set([...mine.keys(), ...theirs.keys()])].flatMap((key) =>
    jsonDifferences(mine.get(key), theirs.get(key), at === '' ? key : `${at} ${key}`),
  );
}

function membersOf(
  value: JsonValue | undefined,
): ReadonlyMap<string, JsonValue | undefined> | undefined {
  if (Array.isArray(value)) {
    return new Map(value.map((item: JsonValue, index) => [String(index), item]));
  }
  return isJsonObject(value) ? new Map(Object.entries(value)) : undefined;
}
