import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type BodyPart, partsOf } from './parts-of.ts';
import { uploadParts } from './upload-parts.ts';

async function* letters(
  text: string,
  onRead: () => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  for (const letter of text) {
    onRead();
    yield Buffer.from(letter);
  }
}

async function* hanging(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('abc');
  await Promise.withResolvers<never>().promise;
}

it('sends every part with its number', async () => {
  const sent: string[] = [];
  await uploadParts(
    partsOf(letters('abcde'), 2),
    async ({ bytes }, number) => {
      await nextTurn();
      sent[number - 1] = Buffer.from(bytes).toString();
    },
    { concurrency: 3, signal: undefined },
  );
  expect(sent).toEqual(['ab', 'cd', 'e']);
});

it('releases what was sent, and not what failed', async () => {
  const released: number[] = [];
  async function* parts(): AsyncGenerator<BodyPart> {
    for (const number of [1, 2, 3]) {
      const bytes = Buffer.from([number]);
      yield { bytes, isLast: number === 3, release: () => released.push(number) };
    }
  }
  const upload = uploadParts(
    parts(),
    async (_part, number) => {
      if (number === 3) throw new Error('part 3');
    },
    { concurrency: 1, signal: undefined },
  );
  await expect(upload).rejects.toThrow('part 3');
  expect(released).toEqual([1, 2]);
});

it('reads no further than there is room for', async () => {
  let read = 0;
  const gate = Promise.withResolvers<void>();
  const upload = uploadParts(
    partsOf(
      letters('abcdefghijklmnop', () => {
        read += 1;
      }),
      2,
    ),
    () => gate.promise,
    { concurrency: 2, signal: undefined },
  );
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  // Two parts of two, and one letter more that tells that the second is not the last.
  expect(read).toBe(5);
  gate.resolve();
  await upload;
  expect(read).toBe(16);
});

it('ends with the first part that fails, even while the body hangs, after the others have ended', async () => {
  const failure = new Error('part 2');
  let ended = false;
  const upload = uploadParts(
    partsOf(hanging(), 1),
    async (_part, number, signal) => {
      if (number === 2) throw failure;
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          ended = true;
          resolve();
        });
      });
    },
    { concurrency: 4, signal: undefined },
  );
  await expect(upload).rejects.toBe(failure);
  expect(ended).toBe(true);
});

it('rejects with the reason of an abort while the body hangs', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  const upload = uploadParts(partsOf(hanging(), 1), async () => undefined, {
    concurrency: 1,
    signal: controller.signal,
  });
  await nextTurn();
  controller.abort(reason);
  await expect(upload).rejects.toBe(reason);
});
