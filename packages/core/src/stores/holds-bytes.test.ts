import { expect, it } from 'vitest';
import { holdsBytes, type ReadableObject } from './holds-bytes.ts';

function objectOf(...chunks: readonly string[]): ReadableObject {
  return {
    stat: async () => ({ sizeBytes: chunks.join('').length }),
    get: async () =>
      (async function* () {
        for (const chunk of chunks) yield Buffer.from(chunk);
      })(),
  };
}

it.each([
  { stored: ['abcdef'], isSame: true },
  { stored: ['ab', 'cd', 'ef'], isSame: true },
  { stored: ['ab', 'cd', 'eF'], isSame: false },
  { stored: ['abcde'], isSame: false },
  { stored: ['abcdefg'], isSame: false },
  { stored: [], isSame: false },
])('abcdef in an object $stored: $isSame', async ({ stored, isSame }) => {
  await expect(holdsBytes(objectOf(...stored), Buffer.from('abcdef'))).resolves.toBe(isSame);
});

it('an empty object holds no bytes, a missing one not even those', async () => {
  await expect(holdsBytes(objectOf(), new Uint8Array())).resolves.toBe(true);
  const missing: ReadableObject = { stat: async () => undefined, get: async () => undefined };
  await expect(holdsBytes(missing, new Uint8Array())).resolves.toBe(false);
});

it('an object that is longer or shorter than its size says has other bytes', async () => {
  const stat = async (): Promise<{ sizeBytes: number }> => ({ sizeBytes: 3 });
  for (const text of ['ab', 'abcd']) {
    const object = { ...objectOf(text), stat };
    await expect(holdsBytes(object, Buffer.from('abc'))).resolves.toBe(false);
  }
});
