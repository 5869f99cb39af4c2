import type { ItemOperationProgress } from '../ports/item-operation.ts';

/**
 * What an operation says of itself. That is foreign code's word: what is not of its type is left out.
 *
 * @throws TypeError when it does not tell its state.
 */
export function checkedProgress(answer: unknown): ItemOperationProgress {
  const said: Readonly<Record<string, unknown>> =
    typeof answer === 'object' && answer !== null ? { ...answer } : {};
  const { state, startedAt } = said;
  if (state !== 'InProgress' && state !== 'Completed' && state !== 'Failed') {
    throw new TypeError('progress did not resolve with a state of InProgress, Completed or Failed');
  }
  return {
    state,
    message: textOf(said['message']),
    completed: countOf(said['completed']),
    total: countOf(said['total']),
    unit: textOf(said['unit']),
    description: textOf(said['description']),
    startedAt:
      startedAt instanceof Date && !Number.isNaN(startedAt.getTime()) ? startedAt : undefined,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

// Velero's fields are whole numbers: a fraction would make its reader refuse the whole file.
function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}
