import { messageOf } from '../errors.ts';
import type { Issue } from '../model/issue.ts';

/**
 * Makes a caller's predicate one that does not fail, since a filter is a pure decision: an object for which it throws, or answers
 * neither true nor false, is left out, and `onFailure` is told.
 */
export function safePredicate<Candidate>(
  include: (candidate: Candidate) => boolean,
  onFailure: (candidate: Candidate, issue: Omit<Issue, 'severity'>, cause: unknown) => void,
): (candidate: Candidate) => boolean {
  return (candidate) => {
    try {
      const wanted: unknown = include(candidate);
      if (typeof wanted !== 'boolean') {
        throw new TypeError('it did not return true or false');
      }
      return wanted;
    } catch (error) {
      const message = `the predicate "include" failed, so the object is left out: ${messageOf(error)}`;
      onFailure(candidate, { reason: 'ItemFailed', message }, error);
      return false;
    }
  };
}
