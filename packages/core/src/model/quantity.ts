// Everything is counted in billionths, the finest step a quantity has.
const nano = 1_000_000_000n;
const largest = 2n ** 63n - 1n;
const scaleOf: ReadonlyMap<string, bigint> = new Map([
  ['n', 1n],
  ['u', 1_000n],
  ['m', 1_000_000n],
  ['', nano],
  ['k', nano * 10n ** 3n],
  ['M', nano * 10n ** 6n],
  ['G', nano * 10n ** 9n],
  ['T', nano * 10n ** 12n],
  ['P', nano * 10n ** 15n],
  ['E', nano * 10n ** 18n],
  ['Ki', nano << 10n],
  ['Mi', nano << 20n],
  ['Gi', nano << 30n],
  ['Ti', nano << 40n],
  ['Pi', nano << 50n],
  ['Ei', nano << 60n],
]);
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
// The lengths keep a hostile quantity from becoming an arbitrarily long integer.
const grammar: RegExp =
  /^([+-]?)(?=\.?[0-9])([0-9]{0,40})(?:\.([0-9]{0,40}))?(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)$/;

/**
 * Reads a Kubernetes quantity (`30Mi`, `1.5G`, `2e3`) as a whole number, rounded away from zero as Kubernetes rounds it
 * and held within 64 bits. `undefined` when the text is not one.
 */
export function parseQuantity(text: string): bigint | undefined {
  const nanos = parseNanos(text);
  if (nanos === undefined) {
    return undefined;
  }
  const magnitude = ((nanos < 0n ? -nanos : nanos) + nano - 1n) / nano;
  const capped = magnitude > largest ? largest : magnitude;
  return nanos < 0n ? -capped : capped;
}

/** Orders two quantities by value: negative, zero or positive. `undefined` when one of them is not a quantity. */
export function compareQuantities(left: string, right: string): number | undefined {
  const leftNanos = parseNanos(left);
  const rightNanos = parseNanos(right);
  if (leftNanos === undefined || rightNanos === undefined) {
    return undefined;
  }
  return leftNanos === rightNanos ? 0 : leftNanos < rightNanos ? -1 : 1;
}

/** Writes a number of bytes as Kubernetes writes a binary quantity: the largest unit that divides it, `30Mi`, `1536Mi`, `1000`. */
export function formatQuantity(bytes: bigint): string {
  let value = bytes;
  let power = 0;
  while (value !== 0n && value % 1024n === 0n && power < binarySuffixes.length - 1) {
    value /= 1024n;
    power += 1;
  }
  return `${value}${binarySuffixes[power] ?? ''}`;
}

function parseNanos(text: string): bigint | undefined {
  const match = grammar.exec(text);
  if (match === null) {
    return undefined;
  }
  const [, sign = '', whole = '', fraction = '', exponent = '0', suffix = ''] = match;
  const power = BigInt(exponent) - BigInt(fraction.length);
  const scaled = BigInt(whole + fraction) * (scaleOf.get(suffix) ?? nano);
  const value = power < 0n ? divideUp(scaled, 10n ** -power) : scaled * 10n ** power;
  return sign === '-' ? -value : value;
}

function divideUp(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}
