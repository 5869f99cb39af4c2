import { readFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, TestRunEndReason } from 'vitest/node';
import type { TestOutcome } from './suite-summary.ts';
import { failuresOfSkips, parseDeclaredSkips, secondTries, summarize } from './suite-summary.ts';

const declaredSkips = new URL('./declared-skips.txt', import.meta.url);

/**
 * Ends a run with the time of each suite, the reason of each skip, the tests that needed a second try and one line of totals.
 *
 * - A test that passed at its second try has passed; that it is named is how it gets mended.
 * - With `CI` set, a skipped test that `test/declared-skips.txt` does not name fails the run:
 *   what cannot run there must not look like what passed.
 */
export default class SuiteReporter implements Reporter {
  private readonly startedAt = new Map<string, number>();
  private readonly endedAt = new Map<string, number>();

  onTestModuleStart(module: TestModule): void {
    if (!this.startedAt.has(module.project.name)) {
      this.startedAt.set(module.project.name, performance.now());
    }
  }

  onTestModuleEnd(module: TestModule): void {
    this.endedAt.set(module.project.name, performance.now());
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    _reason: TestRunEndReason,
  ): void {
    const outcomes = modules.flatMap(outcomesOf);
    console.log();
    for (const [suite, started] of this.startedAt) {
      const seconds = ((this.endedAt.get(suite) ?? started) - started) / 1000;
      console.log(`suite ${suite}: ${seconds.toFixed(1)} s`);
    }
    for (const { name, skipReason } of outcomes.filter(({ state }) => state === 'skipped')) {
      console.log(`skipped: ${name}${skipReason === undefined ? '' : ` (${skipReason})`}`);
    }
    for (const line of secondTries(outcomes)) console.log(line);
    const failures = process.env.CI
      ? failuresOfSkips(outcomes, parseDeclaredSkips(readFileSync(declaredSkips, 'utf8')))
      : [];
    for (const failure of failures) console.error(failure);
    if (failures.length > 0) process.exitCode = 1;
    console.log(summarize(outcomes, unhandledErrors.length + failures.length));
  }
}

function outcomesOf(module: TestModule): TestOutcome[] {
  const tests = [...module.children.allTests()].map((test): TestOutcome => {
    const result = test.result();
    return {
      name: `${module.project.name} > ${test.fullName}`,
      state: result.state === 'pending' ? 'failed' : result.state,
      skipReason: result.state === 'skipped' ? result.note : undefined,
      firstFailure: firstFailureOf(test),
    };
  });
  // A file that cannot be loaded, or a hook that fails, is a failure without a test of its own.
  const lost = module.state() === 'failed' && tests.every(({ state }) => state !== 'failed');
  return lost
    ? [...tests, { name: `${module.project.name} > ${module.moduleId}`, state: 'failed' }]
    : tests;
}

function firstFailureOf(test: TestCase): string | undefined {
  const { retryCount = 0 } = test.diagnostic() ?? {};
  const [first] = test.result().errors ?? [];
  return retryCount === 0 ? undefined : (first?.message ?? 'no message');
}
