import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareQuantities, formatQuantity, parseQuantity } from './quantity.ts';

it.each([
  ['30Mi', 31_457_280n],
  ['1Gi', 1_073_741_824n],
  ['1.5Gi', 1_610_612_736n],
  ['1G', 1_000_000_000n],
  ['1k', 1_000n],
  ['0', 0n],
  ['5', 5n],
  ['+5', 5n],
  ['-5', -5n],
  ['.5', 1n],
  ['5.', 5n],
  ['1e3', 1_000n],
  ['1E3', 1_000n],
  ['1E', 10n ** 18n],
  ['12e-1', 2n],
  ['100m', 1n],
  ['-100m', -1n],
  ['1n', 1n],
  ['7Ei', 7n << 60n],
  ['9Ei', 2n ** 63n - 1n],
  ['1e30', 2n ** 63n - 1n],
  ['-1e30', -(2n ** 63n - 1n)],
])('reads %s as %d', (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

it.each(['', 'Mi', '1mi', '1 Gi', '1KiB', '1e', '1e3Ki', '--1', '1.2.3', '.', '0x10', '1e100'])(
  'does not take %j for a quantity',
  (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  },
);

it.each([
  [31_457_280n, '30Mi'],
  [1n << 30n, '1Gi'],
  [1_610_612_736n, '1536Mi'],
  [1_000n, '1000'],
  [1_024n, '1Ki'],
  [1_025n, '1025'],
  [0n, '0'],
  [1n << 60n, '1Ei'],
  [1n << 70n, '1024Ei'],
])('writes %d as %s', (bytes, text) => {
  expect(formatQuantity(bytes)).toBe(text);
});

it.each([
  { left: '1Gi', right: '1024Mi', order: 0 },
  { left: '1G', right: '1Gi', order: -1 },
  { left: '31Mi', right: '30Mi', order: 1 },
  { left: '100m', right: '200m', order: -1 },
  { left: '10Ei', right: '9Ei', order: 1 },
  { left: 'many', right: '1', order: undefined },
])('orders $left and $right: $order', ({ left, right, order }) => {
  expect(compareQuantities(left, right)).toBe(order);
});

it('reads back what it wrote, for any number of bytes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (bytes) => {
      expect(parseQuantity(formatQuantity(bytes))).toBe(bytes);
    }),
  );
});
