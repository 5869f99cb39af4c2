import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonObject, type JsonValue, jsonEquals, parseJson } from './json.ts';
import { applyJsonPatch } from './json-patch.ts';
import { jsonPatchOf } from './json-patch-of.ts';

// Few keys and values, so that two random objects have much in common.
const key = fc.constantFrom('a', 'b', 'a/b', '~', '', '0', '__proto__');
const leaf = fc.constantFrom<JsonValue>(null, true, 0, 1, '', 'x', parseJson('1.10'));
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(key, tie('value')), { maxLength: 4 })
      .map((entries): JsonValue => Object.fromEntries(entries)),
  ),
}));
const object = fc
  .array(fc.tuple(key, value), { maxLength: 5 })
  .map((entries): JsonObject => Object.fromEntries(entries));

describe('jsonPatchOf', () => {
  it('turns the first object into the second, exactly', () => {
    fc.assert(
      fc.property(object, object, (before, after) => {
        const patched = applyJsonPatch(before, [...jsonPatchOf(before, after)]);
        expect(jsonEquals(patched, after)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is empty for objects that are equal', () => {
    fc.assert(
      fc.property(object, (same) => {
        expect(jsonPatchOf(same, structuredCloneOf(same))).toEqual([]);
      }),
    );
  });

  it('names the member that differs, not what holds it', () => {
    const before = {
      spec: { replicas: 1, ports: [{ port: 80 }, { port: 81 }] },
      data: { 'a/b': 'x' },
    };
    const after = { spec: { replicas: 2, ports: [{ port: 80, name: 'web' }] }, data: { '~': 'y' } };
    expect(jsonPatchOf(before, after)).toEqual([
      { op: 'replace', path: '/spec/replicas', value: 2 },
      { op: 'add', path: '/spec/ports/0/name', value: 'web' },
      { op: 'remove', path: '/spec/ports/1' },
      { op: 'remove', path: '/data/a~1b' },
      { op: 'add', path: '/data/~0', value: 'y' },
    ]);
  });

  it('does not take an undefined member for one', () => {
    expect(jsonPatchOf({ a: undefined }, {})).toEqual([]);
    expect(jsonPatchOf({}, { a: undefined })).toEqual([]);
  });
});

function structuredCloneOf(value: JsonObject): JsonObject {
  const copy = parseJson(JSON.stringify(value));
  return copy as JsonObject;
}
