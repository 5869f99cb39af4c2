import { type Deadline, withDeadline } from '../internal/with-deadline.ts';
import type { Clock } from '../ports/clock.ts';

const writeTimeoutMs = 60_000;

/**
 * A deadline for one write that an abort of the run does not cut: a write that is cut may have happened or not, one that is
 * finished is known.
 */
export function writeDeadline(clock: Clock): Deadline {
  return withDeadline(undefined, writeTimeoutMs, clock);
}
