import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

const second = 1_000;
const hour = 3_600 * second;

it.each([
  ['720h0m0s', 720 * hour],
  ['10m0s', 600 * second],
  ['4h0m0s', 4 * hour],
  ['0s', 0],
  ['0', 0],
  ['1h', hour],
  ['1.5h', 1.5 * hour],
  ['.5s', 500],
  ['1.s', second],
  ['1m30s', 90 * second],
  ['250ms', 250],
  ['1us', 0.001],
  ['1µs', 0.001],
  ['1μs', 0.001],
  ['1ns', 0.000001],
  ['-1m', -60 * second],
  ['+2s', 2 * second],
  ['2540400h10m10s', 2_540_400 * hour + 610 * second],
])('reads %s as %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(['', '1', 's', '1d', '1h 2m', ' 1h', '1h-2m', '.s', '1..5s', '2562048h', 'Infinitys'])(
  'does not take %j for a duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

it.each([
  [720 * hour, '720h0m0s'],
  [600 * second, '10m0s'],
  [90 * second, '1m30s'],
  [1_500, '1.5s'],
  [250, '250ms'],
  [0.25, '250µs'],
  [0.000001, '1ns'],
  [0, '0s'],
  [-0, '0s'],
  [-1_500, '-1.5s'],
  [61_001, '1m1.001s'],
])('writes %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it('reads back what it wrote, for any number of milliseconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: -200 * 365 * 24 * hour, max: 200 * 365 * 24 * hour }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
