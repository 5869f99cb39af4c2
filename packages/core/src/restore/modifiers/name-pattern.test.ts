import { describe, expect, it } from 'vitest';
import { compileNamePattern } from './name-pattern.ts';

function matches(pattern: string, name: string): boolean | string {
  const compiled = compileNamePattern(pattern);
  return compiled.problem ?? compiled.matches(name);
}

describe('compileNamePattern', () => {
  it.each([
    ['', 'anything', true],
    ['sql', 'mysql-0', true],
    ['^sql', 'mysql-0', false],
    ['^mysql.*$', 'mysql-0', true],
    ['(?i)MYSQL', 'mysql-0', true],
    ['[[:digit:]]$', 'mysql-0', true],
    ['^\\pL+$', 'mysql', true],
    ['(?P<n>web|db)-\\d', 'db-0', true],
    ['web\\z', 'web-0', false],
    ['\\Qa.b\\E', 'a.b', true],
    ['\\Qa.b\\E', 'axb', false],
  ])('%s in %s: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it.each(['(?=a)', '(?<!a)b', '(a)\\1', 'a{1001}', '(', 'a**', '[z-a]', 'a'.repeat(1_001)])(
    'refuses %s, as Go does or because it is too long',
    (pattern) => {
      expect(matches(pattern, 'a')).toEqual(expect.stringMatching(/^must /));
    },
  );

  it('is through with a pattern that makes backtracking engines run for ever', () => {
    expect(matches('^(a+)+$', `${'a'.repeat(252)}!`)).toBe(false);
    expect(matches('(x+x+)+y', 'x'.repeat(253))).toBe(false);
  });
});
