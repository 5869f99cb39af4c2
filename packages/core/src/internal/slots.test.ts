import { expect, it } from 'vitest';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

it('lets no more run at a time than there are slots, first come first served', async () => {
  const slots = new Slots(2);
  const begun: number[] = [];
  const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const runs = ends.map(({ promise }, index) =>
    slots.run(() => {
      begun.push(index);
      return promise;
    }, never),
  );
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  ends[1]?.resolve();
  await runs[1];
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  for (const { resolve } of ends) {
    resolve();
  }
  await Promise.all(runs);
  expect(begun).toEqual([0, 1, 2, 3]);
});

it('a failure frees its slot', async () => {
  const slots = new Slots(1);
  await expect(slots.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow(
    'broken',
  );
  expect(await slots.run(() => Promise.resolve('next'), never)).toBe('next');
});

it('who is aborted while waiting gives up the place, and the next one has it', async () => {
  const slots = new Slots(1);
  const first = Promise.withResolvers<void>();
  const running = slots.run(() => first.promise, never);
  const controller = new AbortController();
  const reason = new Error('cancelled');
  const second = slots.run(() => Promise.resolve('second'), controller.signal);
  const third = slots.run(() => Promise.resolve('third'), never);
  controller.abort(reason);
  await expect(second).rejects.toBe(reason);
  first.resolve();
  await running;
  expect(await third).toBe('third');
  await expect(slots.run(() => Promise.resolve('late'), controller.signal)).rejects.toBe(reason);
});
