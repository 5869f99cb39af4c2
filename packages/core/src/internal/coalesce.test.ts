import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { coalesce } from './coalesce.ts';

async function sizesOf(chunks: readonly string[]): Promise<{ text: string; sizes: number[] }> {
  const sizes: number[] = [];
  let text = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done): void {
      sizes.push(chunk.byteLength);
      text += chunk.toString();
      done();
    },
  });
  await pipeline(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), coalesce(4), sink);
  return { text, sizes };
}

it.each([
  { name: 'nothing', chunks: [], sizes: [] },
  { name: 'less than one chunk', chunks: ['a'], sizes: [1] },
  { name: 'exactly one chunk', chunks: ['ab', 'cd'], sizes: [4] },
  { name: 'a rest at the end', chunks: ['ab', 'cd', 'e'], sizes: [4, 1] },
  { name: 'chunks larger than the size', chunks: ['a', 'bcdefgh', 'i'], sizes: [8, 1] },
])('keeps the bytes and joins them: $name', async ({ chunks, sizes }) => {
  expect(await sizesOf(chunks)).toEqual({ text: chunks.join(''), sizes });
});
