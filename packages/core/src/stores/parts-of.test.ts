import { expect, it } from 'vitest';
import { partsOf } from './parts-of.ts';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    yield Buffer.from(text);
  }
}

it.each([
  { given: [], parts: ['|'] },
  { given: [''], parts: ['|'] },
  { given: ['ab'], parts: ['ab|'] },
  { given: ['abc'], parts: ['abc|'] },
  { given: ['a', 'b', 'c'], parts: ['abc|'] },
  { given: ['abcd'], parts: ['abc', 'd|'] },
  { given: ['ab', '', 'cdefgh'], parts: ['abc', 'def', 'gh|'] },
  { given: ['abc', 'def'], parts: ['abc', 'def|'] },
])('cuts $given into $parts', async ({ given, parts }) => {
  const yielded = await Array.fromAsync(
    partsOf(chunks(...given), 3),
    ({ bytes, isLast }) => `${Buffer.from(bytes).toString()}${isLast ? '|' : ''}`,
  );
  expect(yielded).toEqual(parts);
});

it.each([
  { given: '', parts: ['|'] },
  { given: 'abc', parts: ['abc|'] },
  { given: 'abcd', parts: ['abc', 'd|'] },
  { given: 'abcdef', parts: ['abc', 'def|'] },
])('cuts the bytes $given into $parts, and copies none', async ({ given, parts }) => {
  const bytes = Buffer.from(given);
  const yielded = await Array.fromAsync(partsOf(bytes, 3));
  const texts = yielded.map(
    (part) => `${Buffer.from(part.bytes).toString()}${part.isLast ? '|' : ''}`,
  );
  expect(texts).toEqual(parts);
  expect(yielded.every((part) => part.bytes.buffer === bytes.buffer)).toBe(true);
});

it('keeps a part as it is until it is released', async () => {
  const [first, second, third] = await Array.fromAsync(partsOf(chunks('abc', 'def', 'gh'), 3));
  expect([first, second, third].map((part) => Buffer.from(part?.bytes ?? []).toString())).toEqual([
    'abc',
    'def',
    'gh',
  ]);
});

it('fills the memory of released parts again', async () => {
  const used = new Set<ArrayBufferLike>();
  const texts: string[] = [];
  const words = Array.from({ length: 100 }, (_, number) => `<${number}>`);
  for await (const part of partsOf(chunks(...words), 8)) {
    used.add(part.bytes.buffer);
    texts.push(Buffer.from(part.bytes).toString());
    part.release();
  }
  expect(texts.join('')).toBe(words.join(''));
  // One is sent while the next is filled.
  expect(used.size).toBeLessThanOrEqual(2);
});

it('closes the body when the loop is left', async () => {
  let closed = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from('abcdefgh');
    } finally {
      closed = true;
    }
  }
  for await (const { isLast } of partsOf(body(), 3)) {
    expect(isLast).toBe(false);
    break;
  }
  expect(closed).toBe(true);
});

it('rejects with the reason of an abort while the body hangs', async () => {
  const controller = new AbortController();
  const reason = new Error('aborted');
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a');
    controller.abort(reason);
    await Promise.withResolvers<never>().promise;
  }
  const parts = Array.fromAsync(partsOf(body(), 3, controller.signal));
  await expect(parts).rejects.toBe(reason);
});
