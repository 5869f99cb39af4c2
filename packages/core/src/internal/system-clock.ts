import type { Clock } from '../ports/clock.ts';

// A longer delay overflows the timer, which then fires at once.
const longestTimerMs = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    for (let left = ms; left > 0; left -= longestTimerMs) {
      await timer(Math.min(left, longestTimerMs), signal);
    }
  },
};

// That of `node:timers/promises` makes an error of its own for each abort, with a stack: each write of a restore ends a timer so.
function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = (): void => {
    clearTimeout(running);
    reject(signal?.reason);
  };
  const running = setTimeout(() => {
    signal?.removeEventListener('abort', stop);
    resolve();
  }, ms);
  signal?.addEventListener('abort', stop, { once: true });
  return promise;
}
