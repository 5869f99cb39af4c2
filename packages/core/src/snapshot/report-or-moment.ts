import { AbortScope } from '../internal/abort-scope.ts';
import type { Clock } from '../ports/clock.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/** Waits for the next report of a watch, at the latest until a moment. */
export async function reportOrMoment(
  tracked: TrackedSnapshot,
  untilMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  using scope = new AbortScope(signal);
  try {
    await Promise.race([
      tracked.changed({ signal: scope.signal }),
      clock.sleep(Math.max(0, untilMs - clock.now().getTime()), scope.signal),
    ]);
  } finally {
    scope.abort(undefined);
  }
}
