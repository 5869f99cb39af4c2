import { describe, expect, it } from 'vitest';
import type { JsonArray, JsonValue } from './json.ts';
import { applyJsonPatch } from './json-patch.ts';
import { PatchFailure, type PatchFailureKind } from './patch-failure.ts';

const object: JsonValue = { a: { b: [1, 2, 3] }, 'c/d~e': 'x' };

describe('applyJsonPatch', () => {
  it.each<[string, JsonArray, JsonValue]>([
    ['adds a member', [{ op: 'add', path: '/n', value: null }], { ...object, n: null }],
    [
      'replaces a member that add names again',
      [{ op: 'add', path: '/a', value: 1 }],
      { ...object, a: 1 },
    ],
    [
      'inserts into a list',
      [{ op: 'add', path: '/a/b/1', value: 9 }],
      { ...object, a: { b: [1, 9, 2, 3] } },
    ],
    [
      'appends to a list',
      [{ op: 'add', path: '/a/b/-', value: 9 }],
      { ...object, a: { b: [1, 2, 3, 9] } },
    ],
    ['removes from a list', [{ op: 'remove', path: '/a/b/0' }], { ...object, a: { b: [2, 3] } }],
    ['removes a member', [{ op: 'remove', path: '/c~1d~0e' }], { a: { b: [1, 2, 3] } }],
    [
      'replaces in a list',
      [{ op: 'replace', path: '/a/b/2', value: 9 }],
      { ...object, a: { b: [1, 2, 9] } },
    ],
    [
      'moves a member',
      [{ op: 'move', from: '/c~1d~0e', path: '/moved' }],
      { a: { b: [1, 2, 3] }, moved: 'x' },
    ],
    [
      'copies a member',
      [{ op: 'copy', from: '/a/b', path: '/copied' }],
      { ...object, copied: [1, 2, 3] },
    ],
    [
      'sees the operations before',
      [
        { op: 'add', path: '/n', value: {} },
        { op: 'add', path: '/n/m', value: 1 },
        { op: 'test', path: '/n', value: { m: 1 } },
      ],
      { ...object, n: { m: 1 } },
    ],
  ])('%s', (_name, operations, expected) => {
    expect(applyJsonPatch(object, operations)).toEqual(expected);
  });

  it('makes a __proto__ member an ordinary one', () => {
    const patched = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: 'x' }]);
    expect(Object.hasOwn(Object(patched) as object, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
  });

  it.each<[string, JsonArray, PatchFailureKind]>([
    ['a member that does not exist', [{ op: 'remove', path: '/x' }], 'PathMissing'],
    [
      'a member to replace that does not exist',
      [{ op: 'replace', path: '/x', value: 1 }],
      'PathMissing',
    ],
    ['an index behind the end', [{ op: 'add', path: '/a/b/4', value: 1 }], 'PathMissing'],
    ['an index with a leading zero', [{ op: 'remove', path: '/a/b/01' }], 'PathMissing'],
    ['a step through a scalar', [{ op: 'add', path: '/c~1d~0e/x', value: 1 }], 'PathMissing'],
    ['a failed test', [{ op: 'test', path: '/a/b/0', value: 2 }], 'TestFailed'],
    ['a test of what is not there', [{ op: 'test', path: '/x/y', value: null }], 'TestFailed'],
    ['the whole object', [{ op: 'replace', path: '', value: {} }], 'PathMissing'],
    ['an unknown operation', [{ op: 'increment', path: '/a' }], 'Malformed'],
    ['a missing value', [{ op: 'add', path: '/a' }], 'Malformed'],
    ['a missing path', [{ op: 'remove' }], 'Malformed'],
    ['a path that is no pointer', [{ op: 'remove', path: 'a' }], 'Malformed'],
    ['an operation that is no object', ['remove'], 'Malformed'],
  ])('refuses %s', (_name, operations, kind) => {
    const apply = (): JsonValue => applyJsonPatch(object, operations);
    expect(apply).toThrow(PatchFailure);
    expect(apply).toThrow(expect.objectContaining({ kind }));
  });
});
