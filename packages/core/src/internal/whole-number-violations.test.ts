import { expect, it } from 'vitest';
import { wholeNumberViolations } from './whole-number-violations.ts';

it.each([1, 16, Number.MAX_SAFE_INTEGER, undefined])('takes %s', (places) => {
  expect(wholeNumberViolations('concurrency.', { places })).toEqual([]);
});

it.each([
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1],
  ...['4', null, {}],
])('refuses %s, naming what and why', (received) => {
  expect(wholeNumberViolations('concurrency.', { places: received, others: 1 })).toEqual([
    { path: 'concurrency.places', rule: 'must be a whole number of at least 1', received },
  ]);
});
