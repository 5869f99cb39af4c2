import type { Violation } from '../errors.ts';

/** Says which of the numbers are not whole or below one, by what they are called after the prefix. One that is `undefined` is left to its default. */
export function wholeNumberViolations(
  prefix: string,
  numbers: Readonly<Record<string, unknown>>,
): readonly Violation[] {
  return Object.entries(numbers)
    .filter(([, value]) => value !== undefined && !isPositiveInteger(value))
    .map(([name, received]) => ({
      path: `${prefix}${name}`,
      rule: 'must be a whole number of at least 1',
      received,
    }));
}

function isPositiveInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}
