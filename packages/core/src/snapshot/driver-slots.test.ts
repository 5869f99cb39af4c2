import { expect, it } from 'vitest';
import { DriverSlots } from './driver-slots.ts';

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

it('admits as many as its limit and the next when one leaves', async () => {
  const slots = new DriverSlots(2);
  const first = await slots.acquire('a');
  await slots.acquire('a');
  const third = slots.acquire('a');
  expect(await isSettled(third)).toBe(false);
  first[Symbol.dispose]();
  await third;
});

it('counts every driver for itself', async () => {
  const slots = new DriverSlots(1);
  await slots.acquire('a');
  await expect(slots.acquire('b')).resolves.toBeDefined();
});

it('admits in order of arrival', async () => {
  const slots = new DriverSlots(1);
  const order: number[] = [];
  const first = await slots.acquire('a');
  const waiting = [1, 2, 3].map(async (turn) => {
    using _slot = await slots.acquire('a');
    order.push(turn);
  });
  first[Symbol.dispose]();
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
});

it('frees a slot once, however often it is disposed of', async () => {
  const slots = new DriverSlots(1);
  const first = await slots.acquire('a');
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await slots.acquire('a');
  expect(await isSettled(slots.acquire('a'))).toBe(false);
});

it('gives up its place when aborted, with the reason of the signal', async () => {
  const slots = new DriverSlots(1);
  const first = await slots.acquire('a');
  const controller = new AbortController();
  const aborted = slots.acquire('a', { signal: controller.signal });
  const next = slots.acquire('a');
  const reason = new Error('stop');
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  first[Symbol.dispose]();
  await next;
});

it('does not wait for a signal that is aborted already', async () => {
  const reason = new Error('stop');
  const acquired = new DriverSlots(1).acquire('a', { signal: AbortSignal.abort(reason) });
  await expect(acquired).rejects.toBe(reason);
});
