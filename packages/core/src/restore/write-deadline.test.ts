import { expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { WriteDeadlines } from './write-deadline.ts';

/** A clock that is turned by hand and counts its timers. */
function countedClock(): { clock: Clock; manual: ManualClock; timers: () => number } {
  const manual = new ManualClock();
  let timers = 0;
  const clock: Clock = {
    now: () => manual.now(),
    sleep: async (ms, signal) => {
      timers += 1;
      try {
        await manual.sleep(ms, signal);
      } finally {
        timers -= 1;
      }
    },
  };
  return { clock, manual, timers: () => timers };
}

it('gives writes that begin within a second one timer, which ends with the last of them', async () => {
  const { clock, manual, timers } = countedClock();
  const deadlines = new WriteDeadlines(clock);
  const first = deadlines.begin();
  await manual.advance(999);
  const second = deadlines.begin();
  expect(second.signal).toBe(first.signal);
  expect(timers()).toBe(1);
  first[Symbol.dispose]();
  await manual.advance(0);
  expect(timers()).toBe(1);
  second[Symbol.dispose]();
  await manual.advance(0);
  expect(timers()).toBe(0);
  expect(second.signal.aborted).toBe(false);
});

it('gives each write a minute, and a second more at most', async () => {
  const { clock, manual } = countedClock();
  const deadlines = new WriteDeadlines(clock);
  using first = deadlines.begin();
  await manual.advance(999);
  using second = deadlines.begin();
  await manual.advance(1);
  using third = deadlines.begin();
  await manual.advance(59_999);
  expect([first, second, third].map(({ expired }) => expired)).toEqual([false, false, false]);
  await manual.advance(1);
  expect([first, second, third].map(({ expired }) => expired)).toEqual([true, true, false]);
  expect(first.signal.reason).toMatchObject({ name: 'TimeoutError' });
  await manual.advance(1_000);
  expect(third.signal.aborted).toBe(true);
});

it('begins anew after a pause', async () => {
  const { clock, manual, timers } = countedClock();
  const deadlines = new WriteDeadlines(clock);
  deadlines.begin()[Symbol.dispose]();
  using next = deadlines.begin();
  await manual.advance(0);
  expect(timers()).toBe(1);
  expect(next.signal.aborted).toBe(false);
});
