import { gunzipSync, gzipSync } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type JsonValue, parseJson } from '../model/json.ts';
import { gunzipJson, gzipJson, gzipJsonList } from './gzip-json.ts';

const limits = { target: 'the file', maximumBytes: 1024 };

describe('gzipJson', () => {
  it('writes compact JSON and a newline, keys as they were set, with the escapes of Go', async () => {
    const bytes = await gzipJson({ errors: { velero: ['a<b>'] }, b: 1, a: null });
    expect(gunzipSync(bytes).toString()).toBe(
      '{"errors":{"velero":["a\\u003cb\\u003e"]},"b":1,"a":null}\n',
    );
  });

  it('is read back unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 3 }), async (text) => {
        const value: JsonValue = parseJson(text);
        const limit = { target: 'the file', maximumBytes: 1024 * 1024 };
        expect(await gunzipJson(await gzipJson(value), limit)).toEqual(value);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps numbers that JavaScript cannot hold', async () => {
    const bytes = await gzipJson(parseJson('{"n":9007199254740993}'));
    expect(JSON.stringify(await gunzipJson(bytes, limits))).toBe('{"n":9007199254740993}');
  });
});

describe('gunzipJson', () => {
  it('reads a file of several gzip members as one', async () => {
    const bytes = Buffer.concat([gzipSync('{"a":'), gzipSync('1}\n')]);
    expect(await gunzipJson(bytes, limits)).toEqual({ a: 1 });
  });

  it.each<[string, Uint8Array]>([
    ['no bytes', new Uint8Array()],
    ['bytes that are not gzip', Buffer.from('{"a":1}')],
    ['gzip that is cut off', gzipSync('{"a":1}').subarray(0, 15)],
    ['gzip with a wrong checksum', gzipSync('{"a":1}').with(-8, 0)],
    ['gzip of nothing', gzipSync('')],
    ['gzip of text', gzipSync('hello')],
    ['more than the limit', gzipSync(`"${'a'.repeat(1024)}"`)],
  ])('refuses %s as corrupt', async (_what, bytes) => {
    await expect(gunzipJson(bytes, limits)).rejects.toMatchObject({
      code: 'CorruptBackup',
      target: 'the file',
    });
  });
});

it.each([
  ['no value', [], 'null\n'],
  ['values', [{ a: '<b>' }, 1], '[{"a":"\\u003cb\\u003e"},1]\n'],
])('a list of %s is encoded as Velero does', async (_what, values, expected) => {
  const list = async function* (): AsyncIterable<JsonValue> {
    yield* values;
  };
  expect(gunzipSync(await gzipJsonList(list())).toString()).toBe(expected);
});
