import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { expect, it } from 'vitest';
import { TarFraming } from './tar-framing.ts';

async function tarOf(files: readonly (readonly [name: string, text: string])[]): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of files) {
    tar.entry({ name }, text);
  }
  tar.finalize();
  return buffer(tar);
}

/** Where files end, when the tar comes in chunks of a size. */
function endsOf(tar: Buffer, chunkBytes: number): readonly number[] {
  const framing = new TarFraming();
  const ends: number[] = [];
  for (let offset = 0; offset < tar.byteLength; offset += chunkBytes) {
    const chunk = tar.subarray(offset, offset + chunkBytes);
    for (let end = framing.fileEnd(chunk, 0); end !== undefined; ) {
      ends.push(offset + end);
      end = framing.fileEnd(chunk, end);
    }
  }
  return ends;
}

const long = `${'d'.repeat(120)}/${'n'.repeat(200)}`;

it.each([
  { name: 'no files', files: [], ends: [] },
  { name: 'an empty file', files: [['a', '']], ends: [512] },
  { name: 'a file of one whole block', files: [['a', 'x'.repeat(512)]], ends: [1024] },
  {
    name: 'several files',
    files: [
      ['a', 'x'.repeat(513)],
      ['b', 'y'],
    ],
    ends: [1536, 2560],
  },
  // The long name stands in a header and a body of its own before the file's.
  {
    name: 'a name too long for its header',
    files: [
      [long, 'x'],
      ['b', ''],
    ],
    ends: [2048, 2560],
  },
] as const)('tells where files end, however the stream is cut: $name', async ({ files, ends }) => {
  const tar = await tarOf(files);
  for (const chunkBytes of [1, 7, 511, 512, 513, 4096, tar.byteLength]) {
    expect(endsOf(tar, chunkBytes)).toEqual(ends);
  }
});
