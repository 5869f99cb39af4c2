import { describe, expect, it } from 'vitest';
import { BoundedOutput } from './bounded-output.ts';

describe('BoundedOutput', () => {
  it.each([
    [5, ['abc', 'de'], 'abcde', false],
    [4, ['abc', 'de'], 'abcd', true],
    [3, ['abc', '', 'de'], 'abc', true],
    [0, ['a'], '', true],
    [0, [], '', false],
  ])(
    'of at most %i bytes, given %j, keeps %j, truncated: %s',
    (maximum, chunks, kept, truncated) => {
      const output = new BoundedOutput(maximum);
      for (const chunk of chunks) {
        output.append(Buffer.from(chunk));
      }
      expect(Buffer.from(output.bytes()).toString()).toBe(kept);
      expect(output.truncated).toBe(truncated);
    },
  );
});
