import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { withDeadline } from './with-deadline.ts';

/** A clock that is turned by hand: `ring` ends every sleep. */
function handClock(): Clock & { ring(): void; readonly sleepers: number } {
  const sleepers = new Set<() => void>();
  return {
    now: () => new Date(0),
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.add(resolve);
        signal?.addEventListener('abort', () => {
          sleepers.delete(resolve);
          reject(new Error('woken'));
        });
      }),
    ring: () => {
      for (const wake of sleepers) {
        wake();
      }
    },
    get sleepers() {
      return sleepers.size;
    },
  };
}

it('aborts with a TimeoutError when time is up', async () => {
  const clock = handClock();
  using deadline = withDeadline(undefined, 500, clock);
  expect(deadline.signal.aborted).toBe(false);
  clock.ring();
  await nextTurn();
  expect(deadline.expired).toBe(true);
  expect(deadline.signal.reason).toMatchObject({
    name: 'TimeoutError',
    message: 'not done within 500 ms',
  });
});

it('aborts with the reason of the caller, and has then not expired', async () => {
  const clock = handClock();
  const caller = new AbortController();
  using deadline = withDeadline(caller.signal, 500, clock);
  const reason = new Error('stop');
  caller.abort(reason);
  clock.ring();
  await nextTurn();
  expect(deadline.signal.reason).toBe(reason);
  expect(deadline.expired).toBe(false);
});

it('is aborted from the start when the caller already is', () => {
  const reason = new Error('stop');
  using deadline = withDeadline(AbortSignal.abort(reason), 500, handClock());
  expect(deadline.signal.reason).toBe(reason);
});

it('ends its timer and stops following the caller when it is disposed of', () => {
  const clock = handClock();
  const caller = new AbortController();
  const deadline = withDeadline(caller.signal, 500, clock);
  deadline[Symbol.dispose]();
  caller.abort();
  expect(clock.sleepers).toBe(0);
  expect(deadline.signal.aborted).toBe(false);
});
