import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareCodePoints,
  isJsonObject,
  isRawNumber,
  type JsonObject,
  jsonEquals,
  parseJson,
  stringifyJson,
  stringifyPrettyJson,
} from './json.ts';

describe('parseJson', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '1E2',
    '1.10',
    '1.0',
    '-0',
    '-0.0',
    '0.0000001',
    '0.12345678901234567890',
    '123456789012345678901234567890',
  ])('keeps every digit of %s, wherever it stands', (number) => {
    for (const text of [
      number,
      ` ${number} `,
      `{"a":${number}}`,
      `[1,${number},2]`,
      `[${number}]`,
    ]) {
      expect(stringifyJson(parseJson(text))).toBe(text.trim());
    }
  });

  it.each(['0', '1', '-1', '1.5', '0.000001', '123456789012345', '-0.25'])(
    'leaves %s an ordinary number',
    (number) => {
      expect(parseJson(`[${number},9007199254740993]`)).toMatchObject([Number(number), {}]);
    },
  );

  it('leaves what looks like a number inside a string alone', () => {
    const text = '{"a":"x,9007199254740993,1e5","b":"[1.10]"}';
    expect(parseJson(text)).toEqual({ a: 'x,9007199254740993,1e5', b: '[1.10]' });
  });

  it('makes a __proto__ key an ordinary property', () => {
    for (const text of ['{"__proto__":{"polluted":true}}', '{"__proto__":{"n":1e400}}']) {
      const value = parseJson(text);
      expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
      expect(stringifyJson(value)).toBe(text);
    }
    expect({}).not.toHaveProperty('polluted');
  });

  it.each(['', '{', '{"a":01}', 'undefined', '{"a":9007199254740993'])('rejects %j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});

describe('stringifyJson', () => {
  it.each<{ name: string; value: JsonObject; text: string }>([
    {
      name: 'escapes what Go escapes',
      value: { a: '<b> & \u2028\u2029' },
      text: '{"a":"\\u003cb\\u003e \\u0026 \\u2028\\u2029"}',
    },
    { name: 'sorts keys', value: { b: 1, a: { d: 1, c: 2 } }, text: '{"a":{"c":2,"d":1},"b":1}' },
    {
      name: 'sorts integer-like keys as text',
      value: { 9: 1, 10: 2, '-1': 3 },
      text: '{"-1":3,"10":2,"9":1}',
    },
    {
      name: 'sorts by code point, not by UTF-16 unit',
      value: { '\u{1f600}': 1, '\ufb00': 2 },
      text: '{"\ufb00":2,"\u{1f600}":1}',
    },
    { name: 'leaves out undefined members', value: { a: undefined, b: null }, text: '{"b":null}' },
    { name: 'keeps the order of arrays', value: { a: [3, 1, 2] }, text: '{"a":[3,1,2]}' },
  ])('$name', ({ value, text }) => {
    expect(stringifyJson(value)).toBe(text);
  });

  it('writes the results file as Velero does', () => {
    expect(
      `${stringifyJson({ warnings: {}, errors: { namespaces: { ns: ['x'] }, velero: ['a<b>'] } })}\n`,
    ).toBe('{"errors":{"namespaces":{"ns":["x"]},"velero":["a\\u003cb\\u003e"]},"warnings":{}}\n');
  });

  it('is undone by parseJson, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(jsonEquals(parseJson(stringifyJson(parseJson(text))), parseJson(text))).toBe(true);
      }),
    );
  });

  it('writes a value the same way whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(stringifyJson(reversed)).toBe(stringifyJson(value));
      }),
    );
  });
});

it('writes velero-backup.json as Velero does', () => {
  const backup: JsonObject = {
    kind: 'Backup',
    metadata: { name: 'b1', creationTimestamp: null },
    spec: { metadata: {}, includedNamespaces: ['*'], excludedNamespaces: [] },
  };
  expect(stringifyPrettyJson(backup)).toBe(`{
  "kind": "Backup",
  "metadata": {
    "name": "b1",
    "creationTimestamp": null
  },
  "spec": {
    "metadata": {},
    "includedNamespaces": [
      "*"
    ],
    "excludedNamespaces": []
  }
}`);
});

it.each<[unknown, boolean]>([
  [{}, true],
  [[], false],
  [null, false],
  ['x', false],
  [parseJson('1e400'), false],
])('knows that %j as an object is %s', (value, expected) => {
  expect(isJsonObject(value)).toBe(expected);
});

it('knows a raw number from an object that looks like one', () => {
  expect(isRawNumber(parseJson('1e400'))).toBe(true);
  expect(isRawNumber({ rawJSON: '1e400' })).toBe(false);
});

it.each([
  { left: '{"a":1,"b":2}', right: '{"b":2,"a":1}', equal: true },
  { left: '{"a":1}', right: '{"a":"1"}', equal: false },
  { left: '[1,2]', right: '[2,1]', equal: false },
  { left: '9007199254740993', right: '9007199254740992', equal: false },
  { left: '{"a":null}', right: '{}', equal: false },
])('compares $left with $right: $equal', ({ left, right, equal }) => {
  expect(jsonEquals(parseJson(left), parseJson(right))).toBe(equal);
});

// Hundreds of random strings: on a busy machine that takes its time.
it('orders any two strings as their UTF-8 bytes are ordered', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (left, right) => {
      const expected = Buffer.compare(Buffer.from(left), Buffer.from(right));
      expect(Math.sign(compareCodePoints(left, right))).toBe(expected);
    }),
  );
});
