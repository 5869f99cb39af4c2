import { describe, expect, it } from 'vitest';
import { type JsonValue, parseJson } from '../../model/json.ts';
import { readModifierValue } from './modifier-value.ts';

describe('readModifierValue', () => {
  it.each<[string, JsonValue]>([
    ['', ''],
    ['standard', 'standard'],
    ['null', null],
    ['Null', 'Null'],
    ['true', true],
    ['false', false],
    ['5', 5],
    ['-1.5e3', parseJson('-1.5e3')],
    ['9007199254740993', parseJson('9007199254740993')],
    ['1e400', '1e400'],
    ['0x10', '0x10'],
    ['1.2.3', '1.2.3'],
    ['10Gi', '10Gi'],
    ['"5"', '5'],
    ['"true"', 'true'],
    ['"', '"'],
    ['{"a":[1]}', { a: [1] }],
    ['[]', []],
    ['say "hi"', 'say "hi"'],
    ['two\nlines', 'two\nlines'],
    ['tab\\there', 'tab\there'],
    ['C:\\windows', 'C:\\windows'],
    [' 5', ' 5'],
    ['-nan', '-nan'],
  ])('%j is %j', (text, value) => {
    expect(readModifierValue(text)).toEqual({ value });
  });

  it.each([
    'True',
    'FALSE',
    'nan',
    'inf',
    '-Inf',
    '0x1p4',
    '+5',
    '05',
    '.5',
    '1.',
    '1_000',
    '{a',
    '[1,',
    '"a"b"',
  ])('%j is taken for JSON and is none', (text) => {
    expect(readModifierValue(text).problem).toContain('must be JSON');
  });
});
