import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PackedEntry, tarOf, withHeaderField } from './tar-fixture.ts';
import { type TarEntry, TarReader } from './tar-reader.ts';

interface ReadFile {
  readonly entry: TarEntry;
  readonly text: string;
}

interface ReadTar {
  /** Every entry, whether its content is wanted or not. */
  readonly entries: readonly TarEntry[];
  readonly files: readonly ReadFile[];
}

function readTar(
  tar: Buffer,
  {
    chunkBytes = tar.byteLength,
    isWanted = () => true,
  }: { readonly chunkBytes?: number; readonly isWanted?: (entry: TarEntry) => boolean } = {},
): ReadTar {
  const entries: TarEntry[] = [];
  const files: ReadFile[] = [];
  const reader = new TarReader((entry) => {
    entries.push(entry);
    return isWanted(entry) ? entry : undefined;
  });
  for (let at = 0; at < tar.byteLength; at += chunkBytes) {
    for (const { as: entry, bytes } of reader.take(tar.subarray(at, at + chunkBytes))) {
      files.push({ entry, text: bytes.toString() });
    }
  }
  reader.end();
  return { entries, files };
}

function namesIn(tar: Buffer): readonly string[] {
  return readTar(tar).entries.map(({ name }) => name);
}

/** The entries without the marker that ends them. */
async function blocksOf(entries: readonly PackedEntry[]): Promise<Buffer> {
  return (await tarOf(entries)).subarray(0, -1_024);
}

/** A header of a type that no writer of ours makes, with its content. */
async function extension(type: string, body: string): Promise<Buffer> {
  return withHeaderField(
    await blocksOf([{ name: '././@Extension', body }]),
    156,
    Buffer.from(type),
  );
}

function paxRecord(key: string, value: string): string {
  const text = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(text);
  const digits = [1, 2, 3, 4].find((count) => String(length + count).length === count) ?? 0;
  return `${length + digits}${text}`;
}

const marker = Buffer.alloc(1_024);
const corrupt = { name: 'LifeboatError', code: 'CorruptBackup' };

describe('the tar of another writer', () => {
  const anyName = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 300 })
    .filter((name) => !name.includes('\0') && !name.endsWith('/'));
  const anyFile = fc.record({ name: anyName, body: fc.string({ maxLength: 2_000 }) });

  it('is read as it was written, whatever its names, sizes and chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFile, { maxLength: 8 }),
        fc.integer({ min: 1, max: 3_000 }),
        async (packed, chunkBytes) => {
          const { files } = readTar(await tarOf(packed), { chunkBytes });
          expect(files.map(({ entry, text }) => ({ name: entry.name, body: text }))).toEqual(
            packed,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('may have names behind a prefix, and directories with and without a type of their own', async () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(90)}`;
    const tar = await tarOf([{ name: long }, { name: 'a/', type: 'directory' }, { name: 'b/' }]);
    const { entries, files } = readTar(tar);
    expect(entries).toEqual([
      { name: long, type: 'file', size: 0 },
      { name: 'a/', type: 'directory', size: 0 },
      { name: 'b/', type: 'directory', size: 0 },
    ]);
    expect(files.map(({ text }) => text)).toEqual(['']);
  });

  it('may be of GNU, with long names', async () => {
    const long = 'n'.repeat(700);
    const short = await blocksOf([
      { name: 'n'.repeat(100), body: 'x' },
      { name: 'b', body: 'y' },
    ]);
    const gnu = withHeaderField(short, 257, Buffer.from('ustar  \0'));
    const tar = Buffer.concat([
      await extension('K', 'target of a link\0'),
      await extension('L', `${long}\0`),
      gnu,
      marker,
    ]);
    expect(namesIn(tar)).toEqual([long, 'b']);
  });

  it('has what an extension says of the next entry, and nothing of what one says of all', async () => {
    const records = paxRecord('mtime', '1.5') + paxRecord('path', 'größe') + paxRecord('size', '3');
    const files = await blocksOf([
      { name: 'a', body: 'abcdef' },
      { name: 'b', body: 'b' },
    ]);
    const tar = Buffer.concat([
      await extension('g', paxRecord('path', 'everything')),
      await extension('x', records),
      files,
      marker,
    ]);
    expect(readTar(tar).files).toEqual([
      { entry: { name: 'größe', type: 'file', size: 3 }, text: 'abc' },
      { entry: { name: 'b', type: 'file', size: 1 }, text: 'b' },
    ]);
  });

  it('is passed over where it is not wanted', async () => {
    const tar = await tarOf(['a', 'b', 'c'].map((name) => ({ name, body: name.repeat(700) })));
    const { entries, files } = readTar(tar, { isWanted: ({ name }) => name === 'b' });
    expect(entries).toHaveLength(3);
    expect(files.map(({ text }) => text)).toEqual(['b'.repeat(700)]);
  });

  it.each(['1', '2', '3', '4', '6', '7', 'S', 'Z'])('has an entry of type %j', async (type) => {
    const tar = withHeaderField(await tarOf([{ name: 'a' }]), 156, Buffer.from(type));
    expect(readTar(tar).entries).toEqual([{ name: 'a', type: 'other', size: 0 }]);
  });
});

describe('what is no sound tar is refused:', () => {
  const refuse = (tar: Buffer, message: string): void => {
    expect(() => readTar(tar)).toThrow(expect.objectContaining(corrupt));
    expect(() => readTar(tar)).toThrow(message);
  };

  it('a size that is not one', async () => {
    const tar = await tarOf([{ name: 'a', body: 'x' }]);
    for (const size of [Buffer.alloc(12, 0xff), Buffer.from('00000000009 '), Buffer.from('-1 ')]) {
      refuse(withHeaderField(tar, 124, size), 'the size in a header');
    }
    for (const size of ['-1', '1e3', '9'.repeat(16)]) {
      const extended = await extension('x', paxRecord('size', size));
      refuse(Buffer.concat([extended, tar]), 'the size in a header');
    }
  });

  it.each([
    'x',
    '8 path=a\n',
    '0 path=a\n',
    '999 path=a\n',
    '-9 path=a\n',
    '6 path\n',
    '4 =\n',
    ' ',
  ])('the records %j', async (records) => {
    const files = await tarOf([{ name: 'a' }]);
    refuse(Buffer.concat([await extension('x', records), files]), 'the extension of a header');
  });

  it('an extension of more than a mebibyte', async () => {
    const tar = Buffer.concat([await extension('L', 'n'.repeat(1_048_577)), marker]);
    refuse(tar, 'larger than 1048576 bytes');
  });

  it('a header of another format, or with a checksum of another one', async () => {
    const tar = await tarOf([{ name: 'a' }]);
    refuse(withHeaderField(tar, 257, Buffer.alloc(8)), 'unknown format');
    const changed = Buffer.from(tar);
    changed[0] = 0x62;
    refuse(changed, 'checksum');
  });

  it('one without its marker, or that goes on behind it', async () => {
    const tar = await tarOf([{ name: 'a', body: 'x' }]);
    for (const end of [-1, -512, -1_024, -1_025, -1_537]) {
      refuse(tar.subarray(0, end), 'cut off');
    }
    refuse(Buffer.concat([tar, Buffer.from('x')]), 'cut off');
    refuse(Buffer.concat([tar, tar]), 'goes on behind its end marker');
  });
});
