import {
  isJsonArray,
  isJsonObject,
  isRawNumber,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  jsonEquals,
} from '../model/json.ts';
import { compareQuantities } from '../model/quantity.ts';
import { type FieldPath, isServerAssigned } from './server-assigned-fields.ts';

// The members of these are quantities, which may be written in more than one way.
const quantityMaps: ReadonlySet<string> = new Set([
  'capacity',
  'default',
  'defaultRequest',
  'hard',
  'limits',
  'max',
  'maxLimitRequestRatio',
  'min',
  'overhead',
  'requests',
]);

/**
 * The JSON merge patch that makes one object mean the same as another; `undefined` when it does already.
 *
 * - A field that is missing, `null`, or an empty object or list means the same.
 * - Quantities are compared by their value.
 * - What the cluster chose or filled in where the wanted object says nothing does not count: see {@link isServerAssigned}.
 * - A list that differs is replaced as a whole.
 */
export function differenceInMeaning(
  kind: string,
  live: JsonObject,
  wanted: JsonObject,
): JsonObject | undefined {
  return objectDifference(live, wanted, { kind });
}

// Linked, because the path is asked for only where something differs.
interface Place {
  readonly kind: string;
  readonly parent?: Place;
  readonly key?: string;
}

function pathOf({ parent, key }: Place): FieldPath {
  return parent === undefined || key === undefined ? [] : [...pathOf(parent), key];
}

function objectDifference(
  live: JsonObject,
  wanted: JsonObject,
  place: Place,
): JsonObject | undefined {
  const members: [string, JsonValue][] = [];
  for (const key of Object.keys(live)) {
    addDifference(members, key, live[key], ownMember(wanted, key), place);
  }
  for (const key of Object.keys(wanted)) {
    if (!Object.hasOwn(live, key)) {
      addDifference(members, key, undefined, wanted[key], place);
    }
  }
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function addDifference(
  members: [string, JsonValue][],
  key: string,
  live: JsonValue | undefined,
  wanted: JsonValue | undefined,
  parent: Place,
): void {
  // Nearly every text is the same.
  if (live === wanted) {
    return;
  }
  const change = difference(live, wanted, { kind: parent.kind, parent, key });
  if (change !== undefined) {
    members.push([key, change]);
  }
}

function difference(
  live: JsonValue | undefined,
  wanted: JsonValue | undefined,
  place: Place,
): JsonValue | undefined {
  if (live === undefined || isEmpty(live)) {
    return wanted === undefined || isEmpty(wanted) ? undefined : wanted;
  }
  if (wanted === undefined || isEmpty(wanted)) {
    if (isServerAssigned(place.kind, pathOf(place), live)) {
      return undefined;
    }
    // Member by member: some of them may be the cluster's.
    return isJsonObject(live) ? objectDifference(live, {}, place) : null;
  }
  if (isJsonObject(live) && isJsonObject(wanted)) {
    return objectDifference(live, wanted, place);
  }
  if (isJsonArray(live) && isJsonArray(wanted)) {
    return listsMeanTheSame(live, wanted, place) ? undefined : wanted;
  }
  return jsonEquals(live, wanted) || isSameQuantity(live, wanted, place) ? undefined : wanted;
}

function listsMeanTheSame(live: JsonArray, wanted: JsonArray, place: Place): boolean {
  const element = { kind: place.kind, parent: place, key: '*' };
  return (
    live.length === wanted.length &&
    live.every((value, index) => difference(value, wanted[index], element) === undefined)
  );
}

function isSameQuantity(live: JsonValue, wanted: JsonValue, { parent }: Place): boolean {
  const [left, right] = [quantityText(live), quantityText(wanted)];
  return (
    quantityMaps.has(parent?.key ?? '') &&
    left !== undefined &&
    right !== undefined &&
    compareQuantities(left, right) === 0
  );
}

function quantityText(value: JsonValue): string | undefined {
  if (isRawNumber(value)) {
    return value.rawJSON;
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function isEmpty(value: JsonValue): boolean {
  return (
    value === null ||
    (isJsonArray(value) && value.length === 0) ||
    (isJsonObject(value) && Object.values(value).every((member) => member === undefined))
  );
}

function ownMember(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
