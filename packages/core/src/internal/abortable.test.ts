import { expect, it } from 'vitest';
import { abortable } from './abortable.ts';

async function* numbers(onClose: () => void = () => undefined): AsyncGenerator<number> {
  try {
    yield 1;
    yield 2;
  } finally {
    onClose();
  }
}

it('passes everything on', async () => {
  expect(await Array.fromAsync(abortable(numbers(), undefined))).toEqual([1, 2]);
  expect(await Array.fromAsync(abortable(numbers(), new AbortController().signal))).toEqual([1, 2]);
});

it('passes the error of the source on', async () => {
  const failure = new Error('broken');
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    throw failure;
  }
  const stream = abortable(broken(), new AbortController().signal);
  await expect(Array.fromAsync(stream)).rejects.toBe(failure);
});

it('rejects with the reason of the abort while the source hangs', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  async function* hanging(): AsyncGenerator<number> {
    yield 1;
    await Promise.withResolvers().promise;
  }
  const reading = async (): Promise<void> => {
    for await (const number of abortable(hanging(), controller.signal)) {
      expect(number).toBe(1);
      setImmediate(() => {
        controller.abort(reason);
      });
    }
  };
  await expect(reading()).rejects.toBe(reason);
});

it('does not touch the source when the signal has already aborted', async () => {
  const reason = new Error('stop');
  let closed = false;
  const stream = abortable(
    numbers(() => {
      closed = true;
    }),
    AbortSignal.abort(reason),
  );
  await expect(Array.fromAsync(stream)).rejects.toBe(reason);
  expect(closed).toBe(false);
});

it('closes the source when the loop is left', async () => {
  let closed = false;
  const source = numbers(() => {
    closed = true;
  });
  for await (const number of abortable(source, new AbortController().signal)) {
    expect(number).toBe(1);
    break;
  }
  expect(closed).toBe(true);
});
