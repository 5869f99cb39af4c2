import { expect, it } from 'vitest';
import { terminalPhase } from './phase.ts';

it.each([
  [0, 'Completed'],
  [1, 'PartiallyFailed'],
] as const)('ends a run with %d errors as %s', (errors, phase) => {
  expect(terminalPhase(errors)).toBe(phase);
});
