import { type JsonValue, parseJson } from '../../model/json.ts';

/** What the text of a value stands for, or why it stands for nothing. */
export type ModifierValue =
  | { readonly value: JsonValue; readonly problem?: undefined }
  | { readonly problem: string };

// What Go's ParseFloat takes, one form each.
const decimalFloat: RegExp =
  /^[+-]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i;
const hexadecimalFloat: RegExp = /^[+-]?0x_?[0-9a-f]*\.?[0-9a-f]*p[+-]?[0-9]+$/i;
const namedFloat: RegExp = /^(?:[+-]?inf(?:inity)?|nan)$/i;

/**
 * Reads the text of a value as Velero does: `null`, booleans, what Go takes for a number, and what begins with a brace or bracket is
 * JSON, as is what stands between quotation marks; all else is a string, in which escapes of JSON count where they are valid. What
 * Velero takes for JSON and is none (`True`, `nan`, `0x1p4`, `{a`) is a problem; there it fails each object that the rule is for.
 */
export function readModifierValue(text: string): ModifierValue {
  if (isRaw(text)) {
    const value = asJson(text);
    return value === undefined
      ? { problem: `must be JSON, as it begins like JSON; a string is written '"…"'` }
      : { value };
  }
  const unescaped = asJson(`"${text}"`);
  return { value: typeof unescaped === 'string' ? unescaped : text };
}

function isRaw(text: string): boolean {
  return (
    text === 'null' ||
    /^(?:true|false)$/i.test(text) ||
    /^[{[]/.test(text) ||
    (text.length > 1 && text.startsWith('"') && text.endsWith('"')) ||
    hexadecimalFloat.test(text) ||
    namedFloat.test(text) ||
    // Beyond the range of a double Go reports an error, which makes it a string.
    (decimalFloat.test(text) && Number.isFinite(Number(text.replaceAll('_', ''))))
  );
}

function asJson(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
