import { expect, it } from 'vitest';
import { labelValueOf } from './labels.ts';

it.each([
  ['short', 'short'],
  ['x'.repeat(63), 'x'.repeat(63)],
  [
    'this-is-a-very-long-backup-name-that-exceeds-the-sixty-three-characters-limit',
    /^this-is-a-very-long-backup-name-that-exceeds-the-sixty-th[0-9a-f]{6}$/,
  ],
])('stands for %s by a label value of at most 63 bytes', (name, expected) => {
  const value = labelValueOf(name);
  expect(value).toMatch(expected);
  expect(value.length).toBeLessThanOrEqual(63);
});
