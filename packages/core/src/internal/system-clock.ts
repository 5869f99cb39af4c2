import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';

// A longer delay overflows the timer, which then fires at once.
const longestTimerMs = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    try {
      for (let left = ms; left > 0; left -= longestTimerMs) {
        await setTimeout(Math.min(left, longestTimerMs), undefined, { signal });
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
