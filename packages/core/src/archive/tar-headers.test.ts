import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { expect, it } from 'vitest';
import { endOfTar, paddedBytes, TarHeaders } from './tar-headers.ts';

const modifiedAt = new Date('2026-01-02T03:04:05Z');
const directory = 'd'.repeat(120);

it.each<{ name: string; path: string; headerBytes: number }>([
  { name: 'a short path', path: 'metadata/version', headerBytes: 512 },
  { name: 'a path of 100 bytes', path: 'p'.repeat(100), headerBytes: 512 },
  {
    name: 'a longer one that can be divided',
    path: `${directory}/${'n'.repeat(100)}`,
    headerBytes: 512,
  },
  {
    name: 'the longest that can be',
    path: `${'d'.repeat(155)}/${'n'.repeat(100)}`,
    headerBytes: 512,
  },
  {
    name: 'a name too long for its field',
    path: `${directory}/${'n'.repeat(101)}`,
    headerBytes: 1536,
  },
  { name: 'a directory too long for its field', path: `${'d'.repeat(156)}/n`, headerBytes: 1536 },
  { name: 'a long path without a directory', path: 'n'.repeat(101), headerBytes: 1536 },
  { name: 'letters beyond ASCII', path: 'a/größe-日本.json', headerBytes: 1536 },
])('every reader understands the header of $name', async ({ path, headerBytes }) => {
  const content = Buffer.from('content');
  const header = new TarHeaders(modifiedAt).of(path, content.byteLength);
  expect(header.byteLength).toBe(headerBytes);
  const padding = Buffer.alloc(paddedBytes(content.byteLength) - content.byteLength);
  const tar = extract();
  tar.end(Buffer.concat([header, content, padding, endOfTar]));
  const read: unknown[] = [];
  for await (const entry of tar) {
    read.push([entry.header, (await buffer(entry)).toString()]);
  }
  expect(read).toEqual([
    [
      expect.objectContaining({
        name: path,
        size: 7,
        mode: 0o755,
        mtime: modifiedAt,
        type: 'file',
        uid: 0,
      }),
      'content',
    ],
  ]);
});

it.each([
  [0, 0],
  [1, 512],
  [512, 512],
  [513, 1024],
])('content of %i bytes takes %i', (sizeBytes, expected) => {
  expect(paddedBytes(sizeBytes)).toBe(expected);
});

it('the length of an extended record counts its own digits', () => {
  for (let length = 101; length < 1_200; length += 1) {
    const header = new TarHeaders(modifiedAt).of('n'.repeat(length), 0);
    const record = header.subarray(512).toString('latin1').split('\n')[0] ?? '';
    expect(Number.parseInt(record, 10)).toBe(record.length + 1);
  }
});
