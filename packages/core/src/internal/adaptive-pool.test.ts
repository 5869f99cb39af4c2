import { expect, it } from 'vitest';
import { AdaptivePool } from './adaptive-pool.ts';
import { ConcurrencyWindow } from './concurrency-window.ts';

const signal = new AbortController().signal;

/** Work that ends when it is told to. */
function heldWork(pool: AdaptivePool): {
  readonly isStarted: () => boolean;
  readonly end: () => Promise<void>;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  let started = false;
  const done = pool.run(() => {
    started = true;
    return promise;
  }, signal);
  return {
    isStarted: () => started,
    end: () => {
      resolve();
      return done;
    },
  };
}

it('starts as much as the window allows, and the next when one has ended', async () => {
  const pool = new AdaptivePool(new ConcurrencyWindow(2));
  const works = [heldWork(pool), heldWork(pool), heldWork(pool)] as const;
  await Promise.resolve();
  expect(works.map((work) => work.isStarted())).toEqual([true, true, false]);
  await works[0].end();
  await Promise.resolve();
  expect(works[2].isStarted()).toBe(true);
  await works[1].end();
  await works[2].end();
});

it('starts less once the window has halved', async () => {
  const window = new ConcurrencyWindow(2);
  const pool = new AdaptivePool(window);
  const works = [heldWork(pool), heldWork(pool), heldWork(pool)] as const;
  window.refused(window.epoch);
  await works[0].end();
  await Promise.resolve();
  expect(works[2].isStarted()).toBe(false);
  await works[1].end();
  await Promise.resolve();
  expect(works[2].isStarted()).toBe(true);
  await works[2].end();
});

it('gives the place of failed work free, and does not start what was aborted while it waited', async () => {
  const pool = new AdaptivePool(new ConcurrencyWindow(1));
  const first = Promise.withResolvers<void>();
  const failing = pool.run(() => first.promise, signal);
  const abort = new AbortController();
  let ran = false;
  const aborted = pool.run(async () => {
    ran = true;
  }, abort.signal);
  const next = heldWork(pool);
  abort.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  first.reject(new Error('broken'));
  await expect(failing).rejects.toThrow('broken');
  await Promise.resolve();
  expect(next.isStarted()).toBe(true);
  expect(ran).toBe(false);
  await next.end();
});
