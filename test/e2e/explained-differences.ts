import type { JsonDifference } from './json-differences.ts';

/** A place in which our backup is known to differ from the reference, and why it does. */
export interface ExplainedDifference {
  readonly file: string | RegExp;
  readonly at: string | RegExp;
  readonly why: string;
  /** The only one that has what is there. */
  readonly only?: 'ours' | 'reference';
  /** Whether it depends on who is faster, so that a backup without this difference is right too. */
  readonly isSometimes?: true;
}

/** A difference, and what of the backup it is in: a file of its directory, an object, the archive. */
export interface FoundDifference extends JsonDifference {
  readonly file: string;
}

/** The differences that nobody has explained. */
export function unexplained(
  explained: readonly ExplainedDifference[],
  found: readonly FoundDifference[],
): readonly FoundDifference[] {
  return found.filter((difference) => !explained.some((one) => explains(one, difference)));
}

/** The explanations of what is not different any more. */
export function outdated(
  explained: readonly ExplainedDifference[],
  found: readonly FoundDifference[],
): readonly ExplainedDifference[] {
  return explained.filter(
    (one) => one.isSometimes !== true && !found.some((difference) => explains(one, difference)),
  );
}

function explains({ file, at, only }: ExplainedDifference, difference: FoundDifference): boolean {
  const lacking = { ours: difference.reference, reference: difference.ours };
  return (
    matches(file, difference.file) &&
    matches(at, difference.at) &&
    (only === undefined || lacking[only] === undefined)
  );
}

function matches(expected: string | RegExp, actual: string): boolean {
  return typeof expected === 'string' ? expected === actual : expected.test(actual);
}
