const nanosecondsOf: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);
const wholeDuration: RegExp =
  /^[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const oneTerm: RegExp = /([0-9]*)\.?([0-9]*)(ns|us|µs|μs|ms|s|m|h)/g;
const longestNanoseconds = 2n ** 63n - 1n;

/**
 * Reads a Go duration string (`720h0m0s`, `1.5s`, `0`) as milliseconds, with a fraction where it is finer than that.
 * `undefined` when the text is not one, or longer than Go's 292 years.
 */
export function parseDuration(text: string): number | undefined {
  if (!wholeDuration.test(text)) {
    return undefined;
  }
  let nanoseconds = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(oneTerm)) {
    const unitNanoseconds = nanosecondsOf.get(unit) ?? 0n;
    const digits = fraction.slice(0, 18);
    nanoseconds += BigInt(whole) * unitNanoseconds;
    nanoseconds += (BigInt(digits) * unitNanoseconds) / 10n ** BigInt(digits.length);
  }
  if (nanoseconds > longestNanoseconds) {
    return undefined;
  }
  return toMilliseconds(text.startsWith('-') ? -nanoseconds : nanoseconds);
}

/** Writes milliseconds as Go prints a duration: `720h0m0s`, `1m30s`, `1.5s`, `250ms`, `0s`. Finer than nanoseconds is rounded. */
export function formatDuration(ms: number): string {
  const nanoseconds = toNanoseconds(Math.abs(ms));
  if (nanoseconds === 0n) {
    return '0s';
  }
  const sign = ms < 0 ? '-' : '';
  if (nanoseconds < 1_000n) {
    return `${sign}${nanoseconds}ns`;
  }
  if (nanoseconds < 1_000_000n) {
    return `${sign}${decimal(nanoseconds, 1_000n)}µs`;
  }
  if (nanoseconds < 1_000_000_000n) {
    return `${sign}${decimal(nanoseconds, 1_000_000n)}ms`;
  }
  const minutes = nanoseconds / 60_000_000_000n;
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) {
    return sign + seconds;
  }
  const hours = minutes / 60n;
  return hours === 0n
    ? `${sign}${minutes}m${seconds}`
    : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

function toMilliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1e6;
}

function toNanoseconds(ms: number): bigint {
  const whole = Math.trunc(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6));
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '');
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`;
}
