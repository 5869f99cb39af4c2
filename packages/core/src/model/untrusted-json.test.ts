import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json.ts';
import { parseUntrustedJson } from './untrusted-json.ts';

function nested(depth: number): string {
  return `${'{"a":['.repeat(depth / 2)}${']}'.repeat(depth / 2)}`;
}

describe('parseUntrustedJson', () => {
  it('reads whatever parseJson reads', () => {
    const anything = fc.json({ maxDepth: 6 });
    fc.assert(
      fc.property(anything, (text) => {
        expect(parseUntrustedJson(text)).toEqual(parseJson(text));
        expect(parseUntrustedJson(text, { maximumDepth: 8 })).toEqual(parseJson(text));
      }),
      { numRuns: 200 },
    );
  });

  it('takes a document as deep as allowed, and none that is deeper', () => {
    expect(JSON.stringify(parseUntrustedJson(nested(500)))).toBe(nested(500));
    expect(() => parseUntrustedJson(nested(502))).toThrow('nested deeper than 500 levels');
    expect(() => parseUntrustedJson(nested(4), { maximumDepth: 2 })).toThrow(SyntaxError);
  });

  it.each([200_000, 8_000_000])('refuses %d levels before they are parsed', (depth) => {
    expect(() => parseUntrustedJson('['.repeat(depth))).toThrow('nested deeper');
  });

  it('takes as many values as allowed, and not one more', () => {
    const list = (length: number): string => `[${Array(length).fill('{}').join(',')}]`;
    const limits = { maximumValues: 8 };
    expect(parseUntrustedJson('[1,2,3,4,5,6]', limits)).toHaveLength(6);
    expect(() => parseUntrustedJson('[1,2,3,4,5,6,7,8]', limits)).toThrow('more than 8 values');
    expect(() => parseUntrustedJson(list(600_000))).toThrow('more than 1000000 values');
  });

  it('takes brackets, commas and escapes inside a text for text', () => {
    const value = { text: '[{'.repeat(1_000) + '\\"[,'.repeat(1_000), more: ['\\', '"'] };
    const limits = { maximumDepth: 2, maximumValues: 8 };
    expect(parseUntrustedJson(JSON.stringify(value), limits)).toEqual(value);
  });

  it.each(['{"password":"c2VjcmV0"', '{"password":c2VjcmV0}', '"\\'])(
    'says of %j that it is not JSON, and nothing of what it holds',
    (text) => {
      for (const limits of [{}, { maximumDepth: 0 }]) {
        expect(() => parseUntrustedJson(text, { maximumValues: 0, ...limits })).toThrow(
          SyntaxError,
        );
      }
      expect(() => parseUntrustedJson(text)).toThrow(/^it is not JSON$/);
    },
  );
});
