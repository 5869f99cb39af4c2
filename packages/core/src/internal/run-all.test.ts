import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runAll } from './run-all.ts';

/** Work that ends when its signal aborts, and says so. */
function untilAborted(signal: AbortSignal, onEnd: () => void): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      onEnd();
      reject(new Error('ended by the signal'));
    });
  });
}

it('does the work for every item, never more at a time than asked', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await runAll(
    [1, 2, 3, 4, 5, 6, 7],
    async (item) => {
      running += 1;
      most = Math.max(most, running);
      await nextTurn();
      running -= 1;
      done.push(item);
    },
    { concurrency: 3 },
  );
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

it('throws the first failure, after the others were aborted and have ended', async () => {
  const failure = new Error('first');
  let ended = 0;
  const run = runAll(
    [1, 2, 3],
    async (item, signal) => {
      if (item === 3) {
        throw failure;
      }
      await untilAborted(signal, () => {
        ended += 1;
      });
    },
    { concurrency: 3 },
  );
  await expect(run).rejects.toBe(failure);
  expect(ended).toBe(2);
});

it('starts nothing more once an item has failed', async () => {
  const started: number[] = [];
  const run = runAll(
    [1, 2, 3, 4],
    async (item) => {
      started.push(item);
      throw new Error(`item ${item}`);
    },
    { concurrency: 1 },
  );
  await expect(run).rejects.toThrow('item 1');
  expect(started).toEqual([1]);
});

it('rejects with the reason of an abort, after what ran has ended', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  let ended = 0;
  const run = runAll(
    [1, 2],
    (_item, signal) =>
      untilAborted(signal, () => {
        ended += 1;
      }),
    { concurrency: 2, signal: controller.signal },
  );
  await nextTurn();
  controller.abort(reason);
  await expect(run).rejects.toBe(reason);
  expect(ended).toBe(2);
});

it('starts nothing when the signal has already aborted', async () => {
  const reason = new Error('stop');
  const run = runAll([1], () => expect.unreachable(), {
    concurrency: 1,
    signal: AbortSignal.abort(reason),
  });
  await expect(run).rejects.toBe(reason);
});

it('throws the error of its source, after what ran has ended', async () => {
  const failure = new Error('no more pages');
  let ended = 0;
  async function* source(): AsyncGenerator<number> {
    yield 1;
    throw failure;
  }
  const run = runAll(
    source(),
    (_item, signal) =>
      untilAborted(signal, () => {
        ended += 1;
      }),
    { concurrency: 2 },
  );
  await expect(run).rejects.toBe(failure);
  expect(ended).toBe(1);
});

it('closes its source when an item fails', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      closed = true;
    }
  }
  const run = runAll(source(), () => Promise.reject(new Error('failed')), { concurrency: 1 });
  await expect(run).rejects.toThrow('failed');
  expect(closed).toBe(true);
});

it('leaves no listener on the signal it was given', async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...call: Parameters<typeof add>) => {
    listeners += 1;
    add(...call);
  };
  signal.removeEventListener = (...call: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...call);
  };
  await runAll([1, 2], async () => undefined, { concurrency: 1, signal });
  expect(listeners).toBe(0);
});
