import type { JsonObject } from './json.ts';
import { valueAt } from './object-path.ts';

/** One requirement of a field selector. */
export interface FieldRequirement {
  /** Dotted path: `metadata.name`. */
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

const oneTerm: RegExp = /^\s*([A-Za-z][A-Za-z0-9.]*)\s*(==|=|!=)((?:[^\\=,!]|\\[\\,=]|!)*)$/;

/**
 * Reads a field selector as `kubectl --field-selector` takes it: `metadata.name=shop,status.phase!=Running`. Empty text
 * selects everything; `\` escapes a comma, an equals sign or itself in a value.
 *
 * @throws SyntaxError naming the term that is wrong.
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return text.trim() === '' ? [] : splitTerms(text).map(parseTerm);
}

/**
 * Whether an object satisfies a field selector. A missing field counts as empty text, and a number or boolean as its text,
 * as in the API server. Any path is accepted; a server accepts only some.
 *
 * @throws SyntaxError when the selector is text that cannot be read.
 */
export function matchesFieldSelector(
  object: JsonObject,
  selector: string | readonly FieldRequirement[],
): boolean {
  const requirements = typeof selector === 'string' ? parseFieldSelector(selector) : selector;
  return requirements.every(
    ({ field, operator, value }) => (textAt(object, field) === value) === (operator === '='),
  );
}

function textAt(object: JsonObject, field: string): string {
  const [first = '', ...rest] = field.split('.');
  const value = valueAt(object, [first, ...rest]);
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}

function splitTerms(text: string): readonly string[] {
  return text.match(/(?:[^\\,]|\\.?)+|(?<=^|,)(?=,|$)/gs) ?? [];
}

function parseTerm(term: string): FieldRequirement {
  const [, field, comparison, value] = oneTerm.exec(term) ?? [];
  if (field === undefined || value === undefined) {
    throw new SyntaxError(
      `field selector: ${JSON.stringify(term)} is not a requirement; write field=value or field!=value`,
    );
  }
  return {
    field,
    operator: comparison === '!=' ? '!=' : '=',
    value: value.replace(/\\(.)/gs, '$1'),
  };
}
