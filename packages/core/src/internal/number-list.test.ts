import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NumberList } from './number-list.ts';
import { NumberRows } from './number-rows.ts';

const numbers = fc.array(fc.integer({ min: 0, max: 0xff_ff_ff_ff }), { maxLength: 300 });

it('has the numbers that were added, in their order and in any other', () => {
  fc.assert(
    fc.property(numbers, numbers, (first, second) => {
      const list = new NumberList();
      first.forEach((number) => list.add(number));
      list.add(...second);
      const all = [...first, ...second];
      expect(list.length).toBe(all.length);
      expect([...list]).toEqual(all);
      const byLastDigit = (left: number, right: number): number => (left % 10) - (right % 10);
      expect([...list.toSorted(byLastDigit)]).toEqual(all.toSorted(byLastDigit));
      expect([...list]).toEqual(all);
    }),
  );
});

it('goes through what is added meanwhile, and has nothing beyond its end', () => {
  const list = new NumberList();
  list.add(3);
  const seen: number[] = [];
  for (const number of list) {
    seen.push(number);
    if (number > 0) {
      list.add(number - 1);
    }
  }
  expect(seen).toEqual([3, 2, 1, 0]);
  expect(() => list.at(4)).toThrow(RangeError);
  expect(() => list.at(-1)).toThrow(RangeError);
});

it('has rows of numbers', () => {
  const rows = new NumberRows(2);
  const added = Array.from({ length: 100 }, (_, index) => rows.add(index, 2 * index));
  expect(added).toEqual([...added.keys()]);
  expect(rows.length).toBe(100);
  expect([rows.get(99, 0), rows.get(99, 1)]).toEqual([99, 198]);
  expect(() => rows.get(100, 0)).toThrow(RangeError);
});
