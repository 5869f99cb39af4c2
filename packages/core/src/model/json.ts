/**
 * A JSON value as the API server sent it. Numbers that a JavaScript `number` would change (9007199254740993, 1e400, 1.10)
 * are held as {@link RawNumber} so that they are written back digit by digit.
 */
export type JsonValue = string | number | boolean | null | RawNumber | JsonArray | JsonObject;

/** A JSON object; a missing key reads as `undefined`. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** A JSON array. */
export type JsonArray = readonly JsonValue[];

/** A number kept as its source text, made by `JSON.rawJSON` and emitted verbatim by `JSON.stringify`. */
export interface RawNumber {
  readonly rawJSON: string;
}

// TypeScript 6 has no declaration for the stage-4 proposal "JSON.parse source text access", Node has had it since 22.
interface JsonWithSourceText {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(
    text: string,
    reviver?: (key: string, value: JsonValue, context: { readonly source?: string }) => JsonValue,
  ): JsonValue;
}

const json: JsonWithSourceText = jsonWithSourceText(JSON);

function jsonWithSourceText(candidate: object): JsonWithSourceText {
  if (!hasSourceText(candidate)) {
    throw new TypeError('JSON.rawJSON is missing: Lifeboat needs Node.js 22.19 or newer');
  }
  return candidate;
}

function hasSourceText(candidate: object): candidate is JsonWithSourceText {
  return 'rawJSON' in candidate && 'isRawJSON' in candidate;
}

// A number token that may not survive: 16 or more digits, an exponent, a fraction ending in zero or below 1e-6, or -0. A
// hit inside a string only costs the slower parse; the delimiters keep digests and timestamps from hitting. A number that is the whole
// text is looked for apart: with the start of the text as one more delimiter this takes three times as long, as long as to parse.
const suspectNumber: RegExp =
  /[:,[]\s*(?:-?[0-9][0-9.]{15,}|-?[0-9.]+[eE][+-]?[0-9]+|-?[0-9]+\.[0-9]*0|-?0\.0{6}[0-9]*|-0)\s*[,}\]]/;
const lonelyNumber: RegExp = /^\s*-?[0-9]/;

/**
 * Parses JSON without losing a number.
 *
 * - A number whose text `JSON.stringify` would change becomes a {@link RawNumber}; every other value is as `JSON.parse` gives it.
 * - A `__proto__` key is an ordinary own property.
 * - Text without a suspicious number takes the native fast path.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): JsonValue {
  if (!suspectNumber.test(text) && !lonelyNumber.test(text)) {
    return json.parse(text);
  }
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  );
}

/** Whether a value is a number kept as source text. */
export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** Whether a value is a JSON object: neither an array, nor `null`, nor a {@link RawNumber}. */
export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
  );
}

/** Whether a value is a JSON array. */
export function isJsonArray(value: unknown): value is JsonArray {
  return Array.isArray(value);
}

/**
 * Serialises as Go's `encoding/json` does for a map, which is what Velero stores: compact, keys sorted by code point,
 * `<`, `>`, `&`, U+2028 and U+2029 escaped. Raw numbers are written back verbatim; `undefined` members are left out.
 */
export function stringifyJson(value: JsonValue): string {
  return escapeHtml(stringifySorted(value));
}

/**
 * Serialises as Go's indenting encoder does for a struct, the form of `velero-backup.json`: two spaces, keys in the order
 * they were set, the same escapes as {@link stringifyJson}, no newline at the end.
 */
export function stringifyPrettyJson(value: JsonValue): string {
  return escapeHtml(JSON.stringify(value, undefined, 2));
}

/** Whether two JSON values are equal; the order of keys and `undefined` members do not count. */
export function jsonEquals(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) {
    return true;
  }
  if (left === undefined || right === undefined) {
    return false;
  }
  return stringifySorted(left) === stringifySorted(right);
}

const escapedByGo: readonly string[] = ['<', '>', '&', '\u2028', '\u2029'];

/** Escapes in JSON text the characters that Go's encoder escapes. */
export function escapeHtml(text: string): string {
  // Hardly any text has one, and to look for each is faster than to look for all.
  return escapedByGo.some((character) => text.includes(character))
    ? text.replace(
        /[<>&\u2028\u2029]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : text;
}

// `JSON.stringify` writes keys in the order in which they were set, but for some.
function stringifySorted(value: JsonValue): string {
  const sorted = withSortedKeys(value);
  return sorted === undefined ? stringifyByHand(value) : JSON.stringify(sorted);
}

const mostKeysSortedByHand = 16;

// A key whose place in a JavaScript object is not where it was set, or whose UTF-16 order may not be that of its bytes.
const disorderlyKey: RegExp = /^[0-9]|^__proto__$|[\ud800-\uffff]/;

/** The value with keys that `JSON.stringify` writes in order; `undefined` when no object can have them so. */
function withSortedKeys(value: JsonValue): JsonValue | undefined {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (isJsonArray(value)) {
    const members = value.map(withSortedKeys);
    // A list of thousands of rows need not be in memory twice.
    if (members.every((member, index) => member === value[index])) {
      return value;
    }
    return members.every((member) => member !== undefined) ? members : undefined;
  }
  if (isRawNumber(value)) {
    return value;
  }
  return withSortedMembers(value);
}

/** The object itself where that is in order already: most small objects are, and there are several in each of thousands. */
function withSortedMembers(value: JsonObject): JsonObject | undefined {
  const keys = Object.keys(value);
  let copy: Record<string, JsonValue | undefined> | undefined = areSorted(keys) ? undefined : {};
  for (const key of copy === undefined ? keys : sortKeys(keys)) {
    if (disorderlyKey.test(key)) {
      return undefined;
    }
    const member = value[key];
    const sorted = member === undefined ? undefined : withSortedKeys(member);
    if (sorted === undefined && member !== undefined) {
      return undefined;
    }
    if (sorted !== member) {
      // Those before the first that differs stand in order, and are followed by the rest.
      copy ??= { ...value };
    }
    if (copy !== undefined) {
      copy[key] = sorted;
    }
  }
  return copy ?? value;
}

function areSorted(keys: readonly string[]): boolean {
  let before = '';
  for (const key of keys) {
    if (key < before) {
      return false;
    }
    before = key;
  }
  return true;
}

/** Sorts keys in place. `sort` makes work space for each of the thousands of small objects of a backup. */
function sortKeys(keys: string[]): readonly string[] {
  if (keys.length > mostKeysSortedByHand) {
    return keys.sort();
  }
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index] ?? '';
    let place = index;
    for (; place > 0; place -= 1) {
      const before = keys[place - 1];
      if (before === undefined || before <= key) {
        break;
      }
      keys[place] = before;
    }
    keys[place] = key;
  }
  return keys;
}

// Because `JSON.stringify` puts integer-like keys first, whatever the order they were set in.
function stringifyByHand(value: JsonValue): string {
  if (isJsonArray(value)) {
    return `[${value.map(stringifyByHand).join(',')}]`;
  }
  if (!isJsonObject(value)) {
    return JSON.stringify(value);
  }
  const members: string[] = [];
  for (const key of Object.keys(value).sort(compareCodePoints)) {
    const member = value[key];
    if (member !== undefined) {
      members.push(`${JSON.stringify(key)}:${stringifyByHand(member)}`);
    }
  }
  return `{${members.join(',')}}`;
}

/** Compares two strings by their UTF-8 bytes, the order in which Go sorts strings and etcd keeps keys. */
export function compareCodePoints(left: string, right: string): number {
  if (left === right) {
    return 0;
  }
  // UTF-16 and UTF-8 order differ only where a surrogate is compared with a character from U+E000 on.
  if (!/[\ud800-\uffff]/.test(left) || !/[\ud800-\uffff]/.test(right)) {
    return left < right ? -1 : 1;
  }
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
