import { describe, expect, it } from 'vitest';

import { isDnsLabel, isDnsSubdomain } from './kubernetes-name.ts';

describe('isDnsLabel', () => {
  it.each(['a', '0', 'shop', 'a-b', '1a', 'a--b', 'a'.repeat(63)])('accepts %j', (text) => {
    expect(isDnsLabel(text)).toBe(true);
  });

  it.each(['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a b', 'a\n', 'ä', '*', 'a'.repeat(64)])(
    'refuses %j',
    (text) => {
      expect(isDnsLabel(text)).toBe(false);
    },
  );
});

describe('isDnsSubdomain', () => {
  it.each(['a', 'shop-20261124', 'a.b', 'a-1.b-2', `${'a'.repeat(126)}.${'b'.repeat(126)}`])(
    'accepts %j',
    (text) => {
      expect(isDnsSubdomain(text)).toBe(true);
    },
  );

  it.each(['', '.', '..', 'a..b', '.a', 'a.', 'a.-b', '../x', 'a/b', 'A', 'a\n', 'a'.repeat(254)])(
    'refuses %j',
    (text) => {
      expect(isDnsSubdomain(text)).toBe(false);
    },
  );
});
