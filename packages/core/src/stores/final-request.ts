import { systemClock } from '../internal/system-clock.ts';
import type { Clock } from '../ports/clock.ts';
import { delayedSignal } from './delayed-signal.ts';

/** Options of {@link finalRequest}. */
export interface FinalRequestOptions {
  readonly signal: AbortSignal | undefined;
  /** Looks whether what the request would have made visible is there. */
  readonly isStored: (signal: AbortSignal) => Promise<boolean>;
  /** How long the request may still take when the call is aborted. @default 5_000 */
  readonly graceMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

const defaultGraceMs = 5_000;
const askWithinMs = 15_000;
// A server may be done with a request a while after its connection was cut off.
const pausesAfterCutMs = [0, 200, 1_000];

/**
 * Sends the request that makes an object visible. If it were cut off by an abort, nobody could tell whether the object is there.
 *
 * - Aborted: the request may come to its end for a while, and its answer counts. Only then it is cut off, and the object is
 *   looked for: the call succeeds if it is there.
 * - So whoever is told that it failed after an abort knows that nothing was stored, unless the store did not answer that either.
 */
export async function finalRequest(
  send: (signal: AbortSignal) => Promise<void>,
  { signal, isStored, graceMs = defaultGraceMs, clock = systemClock }: FinalRequestOptions,
): Promise<void> {
  signal?.throwIfAborted();
  using late = delayedSignal(signal, graceMs);
  try {
    await send(late.signal);
  } catch (error) {
    const pausesMs = late.signal.aborted ? pausesAfterCutMs : [0];
    if (!(signal?.aborted && (await appears(isStored, pausesMs, clock)))) {
      throw error;
    }
  }
}

async function appears(
  isStored: FinalRequestOptions['isStored'],
  pausesMs: readonly number[],
  clock: Clock,
): Promise<boolean> {
  const signal = AbortSignal.timeout(askWithinMs);
  for (const pauseMs of pausesMs) {
    await clock.sleep(pauseMs);
    // That the store cannot be asked is no answer; that the call was aborted counts.
    if (await isStored(signal).catch(() => false)) {
      return true;
    }
  }
  return false;
}
