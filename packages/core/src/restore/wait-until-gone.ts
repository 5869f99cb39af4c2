import type { DeletionObserver, UntilGoneOptions } from '../internal/deletion-observer.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { ObjectReference } from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';

/** What {@link waitUntilGone} works with. */
export interface WaitUntilGoneOptions extends UntilGoneOptions {
  readonly deletions: DeletionObserver;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Waits until an object that is being deleted is not there any more; `false` when it still is after the timeout. */
export async function waitUntilGone(
  reference: ObjectReference,
  uid: string | undefined,
  { deletions, clock, timeoutMs, signal, pause }: WaitUntilGoneOptions,
): Promise<boolean> {
  using deadline = withDeadline(signal, timeoutMs, clock);
  try {
    await deletions.untilGone(reference, uid, { signal: deadline.signal, pause });
    return true;
  } catch (error) {
    if (!deadline.expired) {
      throw error;
    }
    return false;
  }
}
