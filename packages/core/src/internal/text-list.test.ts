import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareCodePoints } from '../model/json.ts';
import { TextList } from './text-list.ts';

it('has the texts that were added, and their order by code points', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 60 });
  fc.assert(
    fc.property(texts, (added) => {
      const list = new TextList();
      expect(added.map((text) => list.add(text))).toEqual([...added.keys()]);
      expect([...list]).toEqual(added);
      added.forEach((text, index) => {
        expect(list.at(index)).toBe(text);
        expect(list.has(text)).toBe(true);
        expect(Math.sign(list.compare(0, index))).toBe(
          Math.sign(compareCodePoints(added[0] ?? '', text)),
        );
      });
      expect(list.has('not one of them, which are shorter than this text')).toBe(false);
    }),
  );
});

it('has many texts, and ones of any length', () => {
  const added = Array.from({ length: 20_000 }, (_, index) => `ö-${index}`);
  added.push('', 'long'.repeat(50_000), 'after');
  const list = new TextList();
  added.forEach((text) => list.add(text));
  expect(list.length).toBe(added.length);
  expect([...list]).toEqual(added);
  expect(() => list.at(added.length)).toThrow(RangeError);
});
