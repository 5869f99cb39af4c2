/** What became of one test. */
export interface TestOutcome {
  /** Suite, groups and test, joined by ` > `. */
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly skipReason?: string | undefined;
  /** What the first try failed with, of a test that got a second one. */
  readonly firstFailure?: string | undefined;
}

/** Returns the totals as one line: `N passed, N failed`, and `, N skipped` when there are any. */
export function summarize(outcomes: readonly TestOutcome[], otherFailures: number): string {
  const count = (state: TestOutcome['state']): number =>
    outcomes.filter((outcome) => outcome.state === state).length;
  const line = `${count('passed')} passed, ${count('failed') + otherFailures} failed`;
  return count('skipped') === 0 ? line : `${line}, ${count('skipped')} skipped`;
}

/**
 * Returns one line for each test that needed a second try, whatever came of that: its name, and what the first try failed with.
 */
export function secondTries(outcomes: readonly TestOutcome[]): readonly string[] {
  return outcomes.flatMap(({ name, firstFailure }) =>
    // A line of its own in the message could be taken for another one of the report.
    firstFailure === undefined
      ? []
      : [`second try: ${name}: ${firstFailure.trim().replaceAll(/\s+/g, ' ')}`],
  );
}

/** Returns the names a list of declared skips holds: one a line, `#` begins a comment line. */
export function parseDeclaredSkips(text: string): ReadonlySet<string> {
  const lines = text.split('\n').map((line) => line.trim());
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}

/** Returns one message for each skipped test that is not declared. */
export function failuresOfSkips(
  outcomes: readonly TestOutcome[],
  declared: ReadonlySet<string>,
): readonly string[] {
  return outcomes
    .filter(({ name, state }) => state === 'skipped' && !declared.has(name))
    .map(
      ({ name }) =>
        `failed: "${name}" was skipped under CI and is not named in test/declared-skips.txt. ` +
        'Make it run, or declare it there with the reason.',
    );
}
