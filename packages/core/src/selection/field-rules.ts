import type { Violation } from '../errors.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../model/json.ts';

/** Finds the rules that a value breaks, whose place in the request is `path`. */
export type FieldRule = (path: string, value: JsonValue) => readonly Violation[];

/**
 * The rule of an object that has no fields but these. An absent or `null` field is not checked, as Go does not tell one from
 * the other, unless it is required.
 */
export function objectRule(
  what: string,
  fields: Readonly<Record<string, FieldRule>>,
  required: readonly string[] = [],
): FieldRule {
  return (path, value) => {
    if (!isJsonObject(value)) {
      return [{ path, rule: `must be ${what}`, received: value }];
    }
    const missing = required.filter((field) => (value[field] ?? null) === null);
    return [
      ...missing.map((field) => ({ path: `${path}.${field}`, rule: 'is required' })),
      ...Object.entries(value).flatMap(([field, member]): readonly Violation[] => {
        const rule = Object.hasOwn(fields, field) ? fields[field] : undefined;
        if (rule === undefined) {
          return [
            { path: `${path}.${field}`, rule: `is not a field of ${what}`, received: member },
          ];
        }
        return member === undefined || member === null ? [] : rule(`${path}.${field}`, member);
      }),
    ];
  };
}

/** The rule of a list whose members keep a rule each. */
export function listRule(what: string, memberRule: FieldRule): FieldRule {
  return (path, value) =>
    isJsonArray(value)
      ? value.flatMap((member, index) => memberRule(`${path}[${index}]`, member))
      : [{ path, rule: `must be a list of ${what}`, received: value }];
}

/** The rule of a value that is one of a few texts. */
export function oneOfRule(...texts: readonly string[]): FieldRule {
  return (path, value) =>
    typeof value === 'string' && texts.includes(value)
      ? []
      : [
          {
            path,
            rule: `must be ${texts.map((text) => `"${text}"`).join(' or ')}`,
            received: value,
          },
        ];
}

/** The rule of a text. */
export const textRule: FieldRule = (path, value) =>
  typeof value === 'string' ? [] : [{ path, rule: 'must be text', received: value }];

/** The rule of a map of anything. */
export const mapRule: FieldRule = (path, value) =>
  isJsonObject(value) ? [] : [{ path, rule: 'must be a map', received: value }];

/** The rule of a map of texts to texts. In YAML, `true` and `1` are no text until they are quoted. */
export const textMapRule: FieldRule = (path, value) =>
  isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string')
    ? []
    : [{ path, rule: 'must be a map of text to text', received: value }];
