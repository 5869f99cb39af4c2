import { expect, it } from 'vitest';
import { systemClock } from './system-clock.ts';

it('rejects a sleep with the reason of the abort', async () => {
  const controller = new AbortController();
  const sleep = systemClock.sleep(60_000, controller.signal);
  const reason = new Error('stop');
  controller.abort(reason);
  await expect(sleep).rejects.toBe(reason);
});

it('does not fall asleep when the signal has already aborted', async () => {
  const reason = new Error('stop');
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
});

it('sleeps on when the delay is longer than a timer can hold', async () => {
  const controller = new AbortController();
  const sleep = systemClock.sleep(2 ** 40, controller.signal).then(() => 'awake');
  const race = await Promise.race([sleep, systemClock.sleep(20).then(() => 'still asleep')]);
  expect(race).toBe('still asleep');
  controller.abort();
  await expect(sleep).rejects.toThrow();
});
