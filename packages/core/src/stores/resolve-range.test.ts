import { expect, it } from 'vitest';
import type { ByteRange } from '../ports/object-store.ts';
import { resolveRange } from './resolve-range.ts';

it.each<{ range: ByteRange | undefined; start: number; end: number }>([
  { range: undefined, start: 0, end: 10 },
  { range: { start: 0 }, start: 0, end: 10 },
  { range: { start: 0, end: 0 }, start: 0, end: 1 },
  { range: { start: 3, end: 5 }, start: 3, end: 6 },
  { range: { start: 3, end: 100 }, start: 3, end: 10 },
  { range: { start: 9 }, start: 9, end: 10 },
  { range: { start: 10 }, start: 10, end: 10 },
  { range: { start: 50, end: 60 }, start: 10, end: 10 },
])('takes of ten bytes for $range those from $start to $end', ({ range, start, end }) => {
  expect(resolveRange(range, 10, 'k')).toEqual({ start, end });
});

it.each<ByteRange>([{ start: -1 }, { start: 1.5 }, { start: 5, end: 4 }, { start: Number.NaN }])(
  'refuses the range %j',
  (range) => {
    expect(() => resolveRange(range, 10, 'k')).toThrow(
      expect.objectContaining({ code: 'InvalidConfig', target: 'k' }),
    );
  },
);
