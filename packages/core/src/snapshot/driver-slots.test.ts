import { expect, it } from 'vitest';
import { DriverSlots, type SnapshotSource } from './driver-slots.ts';

let volumes = 0;

/** A volume that no other test or call uses. */
function volumeOf(driver: string): SnapshotSource {
  volumes += 1;
  return { driver, volumeHandle: `volume-${volumes}` };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

it('admits as many as its limit and the next when one leaves', async () => {
  const slots = new DriverSlots(2);
  const first = await slots.acquire(volumeOf('a'));
  await slots.acquire(volumeOf('a'));
  const third = slots.acquire(volumeOf('a'));
  expect(await isSettled(third)).toBe(false);
  first[Symbol.dispose]();
  await third;
});

it('counts every driver for itself', async () => {
  const slots = new DriverSlots(1);
  await slots.acquire(volumeOf('a'));
  await expect(slots.acquire(volumeOf('b'))).resolves.toBeDefined();
});

it('admits the urgent before those that came earlier', async () => {
  const slots = new DriverSlots(1);
  const order: string[] = [];
  const first = await slots.acquire(volumeOf('a'));
  const waiting = ['1', 'urgent 1', '2', 'urgent 2'].map(async (turn) => {
    using _slot = await slots.acquire({ ...volumeOf('a'), urgent: turn.startsWith('urgent') });
    order.push(turn);
  });
  await isSettled(Promise.all(waiting));
  first[Symbol.dispose]();
  await Promise.all(waiting);
  expect(order).toEqual(['urgent 1', 'urgent 2', '1', '2']);
});

it('admits in order of arrival', async () => {
  const slots = new DriverSlots(1);
  const order: number[] = [];
  const first = await slots.acquire(volumeOf('a'));
  const waiting = [1, 2, 3].map(async (turn) => {
    using _slot = await slots.acquire(volumeOf('a'));
    order.push(turn);
  });
  first[Symbol.dispose]();
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
});

it('frees a slot once, however often it is disposed of', async () => {
  const slots = new DriverSlots(1);
  const first = await slots.acquire(volumeOf('a'));
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await slots.acquire(volumeOf('a'));
  expect(await isSettled(slots.acquire(volumeOf('a')))).toBe(false);
});

it('gives up its place when aborted, with the reason of the signal', async () => {
  const slots = new DriverSlots(1);
  const first = await slots.acquire(volumeOf('a'));
  const controller = new AbortController();
  const aborted = slots.acquire(volumeOf('a'), { signal: controller.signal });
  const next = slots.acquire(volumeOf('a'));
  const reason = new Error('stop');
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  first[Symbol.dispose]();
  await next;
});

it('does not wait for a signal that is aborted already', async () => {
  const reason = new Error('stop');
  const acquired = new DriverSlots(1).acquire(volumeOf('a'), { signal: AbortSignal.abort(reason) });
  await expect(acquired).rejects.toBe(reason);
});

it('admits one snapshot of a volume at a time, and others of the driver meanwhile', async () => {
  const slots = new DriverSlots(2);
  const source = volumeOf('a');
  const first = await slots.acquire(source);
  const second = slots.acquire(source);
  await slots.acquire(volumeOf('a'));
  expect(await isSettled(second)).toBe(false);
  first[Symbol.dispose]();
  await second;
});

it('gives the volume up when it is aborted while it waits for the driver', async () => {
  const slots = new DriverSlots(1);
  const first = await slots.acquire(volumeOf('a'));
  const source = volumeOf('a');
  const controller = new AbortController();
  const aborted = slots.acquire(source, { signal: controller.signal });
  await Promise.resolve();
  controller.abort(new Error('stop'));
  await expect(aborted).rejects.toThrow('stop');
  const next = slots.acquire(source);
  first[Symbol.dispose]();
  await next;
});

/** Slots of a driver `a` of which one is taken. */
async function busySlots(limit: number): Promise<DriverSlots> {
  const slots = new DriverSlots(limit);
  await slots.acquire(volumeOf('a'));
  return slots;
}

/** How many of ten more a driver admits now. Takes what it admits. */
async function admittedOf(slots: DriverSlots): Promise<number> {
  const held = Array.from({ length: 10 }, () => slots.acquire(volumeOf('a')));
  await new Promise(setImmediate);
  const settled = await Promise.all(held.map(isSettled));
  return settled.filter(Boolean).length;
}

it.each([
  { refusals: [], admitted: 7 },
  { refusals: [0], admitted: 3 },
  { refusals: [0, 1_000, 4_999], admitted: 3 },
  { refusals: [0, 5_000], admitted: 1 },
  { refusals: [0, 5_000, 10_000, 15_000, 20_000], admitted: 0 },
])(
  'beside one, after refusals at $refusals ms, admits $admitted of a driver',
  async ({ refusals, admitted }) => {
    const slots = await busySlots(8);
    for (const nowMs of refusals) {
      slots.reportRefusal('a', nowMs);
    }
    expect(await admittedOf(slots)).toBe(admitted);
  },
);

it.each([
  { cut: 0, admitted: 3 },
  { cut: 1, admitted: 4 },
  { cut: 20, admitted: 7 },
])(
  'beside one, after a refusal and $cut snapshots since, admits $admitted',
  async ({ cut, admitted }) => {
    const slots = await busySlots(8);
    slots.reportRefusal('a', 0);
    for (let count = 0; count < cut; count += 1) {
      slots.reportSuccess('a');
    }
    expect(await admittedOf(slots)).toBe(admitted);
  },
);

it('does not admit the next while more are under way than a refusal has left', async () => {
  const slots = new DriverSlots(2);
  const first = await slots.acquire(volumeOf('a'));
  const second = await slots.acquire(volumeOf('a'));
  slots.reportRefusal('a', 0);
  const third = slots.acquire(volumeOf('a'));
  first[Symbol.dispose]();
  expect(await isSettled(third)).toBe(false);
  second[Symbol.dispose]();
  await third;
});

it('tells since when a driver has refused, until it cuts a snapshot', () => {
  const slots = new DriverSlots(2);
  expect(slots.refusingSinceMs('a')).toBeUndefined();
  slots.reportRefusal('a', 1_000);
  slots.reportRefusal('a', 9_000);
  expect(slots.refusingSinceMs('a')).toBe(1_000);
  expect(slots.refusingSinceMs('b')).toBeUndefined();
  slots.reportSuccess('a');
  expect(slots.refusingSinceMs('a')).toBeUndefined();
});

it('forgets a refusal when nothing of the driver is under way any more', async () => {
  const slots = new DriverSlots(8);
  const last = await slots.acquire(volumeOf('a'));
  slots.reportRefusal('a', 0);
  last[Symbol.dispose]();
  expect(await admittedOf(slots)).toBe(8);
  expect(slots.refusingSinceMs('a')).toBeUndefined();
});
