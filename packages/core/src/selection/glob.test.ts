import { describe, expect, it } from 'vitest';

import { createGlob, isGlob } from './glob.ts';

describe('createGlob', () => {
  it.each<[string, string, boolean]>([
    // As Velero's own matcher was seen to answer.
    ['a*', 'a.b', true],
    ['*', 'pods', true],
    ['deploy*', 'deployments.apps', true],
    ['{a,b}', 'a', true],
    ['a?c', 'abc', true],
    ['[!a]', 'b', true],
    // What follows from them.
    ['a', 'a', true],
    ['a', 'ab', false],
    ['a.b', 'axb', false],
    ['a*', 'a', true],
    ['a*', 'ba', false],
    ['*.apps', 'deployments.apps', true],
    ['*.apps', 'pods', false],
    ['?', 'ab', false],
    ['a?c', 'a.c', true],
    ['[!a]', 'a', false],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['{a,b}', 'c', false],
    ['!a', 'b', false],
    ['kube-*', 'kube-system', true],
    ['kube-*', 'kube', false],
  ])('%j on %j is %j', (pattern, name, expected) => {
    expect(createGlob(pattern, { braces: true })(name)).toBe(expected);
  });

  it('takes braces for themselves where they are no pattern', () => {
    expect(createGlob('{a,b}', { braces: false })('a')).toBe(false);
  });
});

describe('isGlob', () => {
  it.each<[string, boolean]>([
    ['pods', false],
    ['deployments.apps', false],
    ['kube-system', false],
    ['*', true],
    ['a?', true],
    ['[ab]', true],
    ['{a,b}', true],
  ])('%j: %j', (name, expected) => {
    expect(isGlob(name)).toBe(expected);
  });
});
