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

it('cuts bytes, and copies them', async () => {
  const bytes = Buffer.from('abcd');
  const parts = await Array.fromAsync(partsOf(bytes, 3));
  bytes.fill(0);
  expect(parts.map((part) => Buffer.from(part.bytes).toString())).toEqual(['abc', 'd']);
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
