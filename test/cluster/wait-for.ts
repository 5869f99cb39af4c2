import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitForOptions {
  /** What is waited for, as the error shall say it: "timed out after 60000 ms waiting for <what>". */
  readonly what: string;
  /** @default 60000 */
  readonly timeoutMs?: number | undefined;
  /** Pause between two attempts, in milliseconds. @default 100 */
  readonly intervalMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks again and again until the answer is neither undefined nor false, and returns it.
 *
 * - the question rejects: taken as "not yet"; the last such error is the cause of the timeout's
 * - aborted: rejects with the signal's reason
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitForOptions,
): Promise<T> {
  const { what, timeoutMs = 60_000, intervalMs = 100, signal } = options;
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    signal?.throwIfAborted();
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    // The reason is rethrown by the check above, not wrapped as the timer would.
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  } while (performance.now() < deadline || signal?.aborted === true);
  throw new Error(`timed out after ${timeoutMs} ms waiting for ${what}`, { cause });
}
