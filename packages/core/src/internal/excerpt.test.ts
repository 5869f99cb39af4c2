import { expect, it } from 'vitest';
import { excerptOf } from './excerpt.ts';

it('a short text is quoted whole, a long one is cut', () => {
  expect(excerptOf('a\n"b"')).toBe('"a\\n\\"b\\""');
  expect(excerptOf('a'.repeat(200))).toHaveLength(202);
  expect(excerptOf('a'.repeat(5_000_000))).toBe(`"${'a'.repeat(200)}"… (5000000 characters)`);
});
