import type { Clock } from '../ports/clock.ts';
import { AbortScope } from './abort-scope.ts';
import { systemClock } from './system-clock.ts';

// Nobody sees it. A reason made for each would gather a stack each: with thousands of writes that shows.
const workIsOver = new Error('the work that had a deadline is over');

/** A signal that also aborts when time is up. Dispose it when the work is over, so that its timer ends. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Whether the time ran out, as opposed to the caller having aborted. */
  readonly expired: boolean;
}

/**
 * Starts a deadline. Its signal aborts with the caller's reason when the caller aborts, and with a `TimeoutError` after
 * `ms` milliseconds. Without a caller's signal it is a fresh one, which clean-up needs after an abort.
 */
export function withDeadline(
  signal: AbortSignal | undefined,
  ms: number,
  clock: Clock = systemClock,
): Deadline {
  const scope = new AbortScope(signal);
  const timer = new AbortController();
  let expired = false;
  const expire = (): void => {
    expired = !scope.signal.aborted;
    scope.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError'));
  };
  // Rejects only when the deadline is disposed of.
  clock.sleep(ms, timer.signal).then(expire, () => undefined);
  return {
    signal: scope.signal,
    get expired(): boolean {
      return expired;
    },
    [Symbol.dispose](): void {
      timer.abort(workIsOver);
      scope[Symbol.dispose]();
    },
  };
}
