import { describe, expect, it } from 'vitest';
import type { TestOutcome } from './suite-summary.ts';
import { failuresOfSkips, parseDeclaredSkips, secondTries, summarize } from './suite-summary.ts';

const passed: TestOutcome = { name: 'unit > a', state: 'passed' };
const failed: TestOutcome = { name: 'unit > b', state: 'failed' };
const retried: TestOutcome = {
  name: 'e2e > d',
  state: 'passed',
  firstFailure: 'expected 1\n  to be 2\n1 passed, 0 failed',
};
const failedTwice: TestOutcome = { name: 'e2e > e', state: 'failed', firstFailure: 'no answer' };
const skipped: TestOutcome = { name: 'e2e > c', state: 'skipped', skipReason: 'no Go' };

describe('summarize', () => {
  it.each([
    { outcomes: [], other: 0, line: '0 passed, 0 failed' },
    { outcomes: [passed, failed], other: 0, line: '1 passed, 1 failed' },
    { outcomes: [passed, skipped], other: 0, line: '1 passed, 0 failed, 1 skipped' },
    { outcomes: [passed], other: 2, line: '1 passed, 2 failed' },
    { outcomes: [passed, retried, failedTwice], other: 0, line: '2 passed, 1 failed' },
  ])('prints "$line"', ({ outcomes, other, line }) => {
    expect(summarize(outcomes, other)).toBe(line);
  });
});

describe('secondTries', () => {
  it('names the tests that needed one, each in one line with what it failed with first', () => {
    expect(secondTries([passed, retried, failed, failedTwice, skipped])).toEqual([
      'second try: e2e > d: expected 1 to be 2 1 passed, 0 failed',
      'second try: e2e > e: no answer',
    ]);
  });
});

describe('failuresOfSkips', () => {
  it('names a skipped test that is not declared', () => {
    expect(failuresOfSkips([passed, skipped], new Set())).toEqual([
      expect.stringContaining('"e2e > c"'),
    ]);
  });

  it('accepts a declared skip', () => {
    const declared = parseDeclaredSkips('# no node part there\n\n  e2e > c\n');
    expect(failuresOfSkips([skipped], declared)).toEqual([]);
  });
});
