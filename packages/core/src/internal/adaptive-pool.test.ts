import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
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

it('gives the place of work that pauses to other work, and has it go on before what has not begun', async () => {
  const pool = new AdaptivePool(new ConcurrencyWindow(1));
  const outside = Promise.withResolvers<string>();
  const steps: string[] = [];
  const pausing = pool.run(async () => {
    steps.push('pauses');
    steps.push(await pool.pause(() => outside.promise));
  }, signal);
  const holding = heldWork(pool);
  const next = pool.run(async () => void steps.push('next'), signal);
  await turn();
  expect(holding.isStarted()).toBe(true);
  outside.resolve('goes on');
  await turn();
  expect(steps).toEqual(['pauses']);
  await holding.end();
  await Promise.all([pausing, next]);
  expect(steps).toEqual(['pauses', 'goes on', 'next']);
});

it('lets paused work clean up only in a place, though it was aborted', async () => {
  const pool = new AdaptivePool(new ConcurrencyWindow(1));
  const abort = new AbortController();
  const outside = Promise.withResolvers<void>();
  let isCleanedUp = false;
  const pausing = pool.run(async () => {
    try {
      await pool.pause(() => outside.promise);
    } finally {
      isCleanedUp = true;
    }
  }, abort.signal);
  const holding = heldWork(pool);
  await turn();
  abort.abort();
  outside.reject(new Error('aborted'));
  await turn();
  expect(isCleanedUp).toBe(false);
  await holding.end();
  await expect(pausing).rejects.toThrow('aborted');
  expect(isCleanedUp).toBe(true);
});

describe('admitted', () => {
  /** How many numbers are asked for while work for each of them goes on. */
  async function askedFor(
    pool: AdaptivePool,
    work: (end: Promise<void>) => Promise<void>,
  ): Promise<number> {
    const end = Promise.withResolvers<void>();
    let asked = 0;
    const numbers = async function* (): AsyncGenerator<number> {
      for (asked = 1; asked <= 100; asked += 1) {
        yield asked;
      }
    };
    const started: Promise<void>[] = [];
    const all = (async () => {
      for await (const _ of pool.admitted(numbers(), signal)) {
        started.push(pool.run(() => work(end.promise), signal));
      }
    })();
    await turn();
    const atFirst = asked;
    end.resolve();
    await all;
    await Promise.all(started);
    expect(asked).toBe(101);
    return atFirst;
  }

  it('passes on what there is a place for, and has one more at hand', async () => {
    const pool = new AdaptivePool(new ConcurrencyWindow(3));
    expect(await askedFor(pool, (end) => end)).toBe(4);
  });

  it('counts what pauses only against a bound of its own', async () => {
    const pausing = (pool: AdaptivePool) => (end: Promise<void>) => pool.pause(() => end);
    const unbounded = new AdaptivePool(new ConcurrencyWindow(3));
    expect(await askedFor(unbounded, pausing(unbounded))).toBe(101);
    const bounded = new AdaptivePool(new ConcurrencyWindow(3), { maximumPaused: 10 });
    expect(await askedFor(bounded, pausing(bounded))).toBe(11);
  });

  it('rejects with the reason of an abort while there is no room', async () => {
    const pool = new AdaptivePool(new ConcurrencyWindow(1), { maximumPaused: 1 });
    const abort = new AbortController();
    const holding = heldWork(pool);
    const queued = heldWork(pool);
    const items = async function* (): AsyncGenerator<number> {
      yield 1;
    };
    const next = pool.admitted(items(), abort.signal).next();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    await holding.end();
    await queued.end();
  });
});
