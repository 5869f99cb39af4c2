import { describe, expect, it } from 'vitest';
import { isInCapacityRange, parseCapacityRange } from './capacity-range.ts';

describe('parseCapacityRange', () => {
  it.each<[string, string, string]>([
    ['10Gi,100Gi', '10Gi', '100Gi'],
    [' 10Gi , 100Gi ', '10Gi', '100Gi'],
    ['10Gi,', '10Gi', '0'],
    [',1Ti', '0', '1Ti'],
    [',', '0', '0'],
    ['5Gi,5Gi', '5Gi', '5Gi'],
    ['1e3,1Ki', '1e3', '1Ki'],
    ['5Gi,0', '5Gi', '0'],
  ])('reads %j', (text, low, high) => {
    expect(parseCapacityRange(text)).toEqual({ low, high });
  });

  it.each<[string, RegExp]>([
    ['', /exactly one comma/],
    ['10Gi', /exactly one comma/],
    ['1Gi,2Gi,3Gi', /exactly one comma/],
    ['10GiB,100Gi', /quantity/],
    ['a,b', /quantity/],
    ['100Gi,10Gi', /below its beginning/],
  ])('refuses %j', (text, rule) => {
    expect(parseCapacityRange(text)).toMatch(rule);
  });
});

describe('isInCapacityRange', () => {
  it.each<[string | undefined, string, string, boolean]>([
    ['10Gi', '10Gi', '100Gi', true],
    ['100Gi', '10Gi', '100Gi', true],
    ['9Gi', '10Gi', '100Gi', false],
    ['101Gi', '10Gi', '100Gi', false],
    ['1Gi', '0', '100Gi', true],
    ['101Gi', '0', '100Gi', false],
    ['1Pi', '10Gi', '0', true],
    ['1Gi', '10Gi', '0', false],
    ['1Gi', '0', '0', true],
    [undefined, '0', '0', true],
    [undefined, '0', '1Gi', true],
    [undefined, '1', '0', false],
    ['none', '0', '1Gi', true],
    ['1024Mi', '1Gi', '1Gi', true],
  ])('%j from %s to %s: %j', (capacity, low, high, expected) => {
    expect(isInCapacityRange(capacity, { low, high })).toBe(expected);
  });
});
