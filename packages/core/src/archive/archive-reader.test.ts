import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../model/json.ts';
import { type ArchiveObject, type ReadArchiveOptions, readArchive } from './archive-reader.ts';

const seedArchive = join(import.meta.dirname, '../../../../test/vectors/seed-csi/default.tar.gz');

type TarEntry = Partial<Header> & { readonly name: string; readonly body?: string };

const pod = (name: string): string => `resources/pods/namespaces/shop/${name}.json`;

async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { body = '', ...header } of entries) {
    tar.entry(header, body);
  }
  tar.finalize();
  return Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Uint8Array>));
}

/** Sets a field of a tar header and makes its checksum right. */
function withHeaderField(tar: Buffer, offset: number, field: Uint8Array, at = 0): Buffer {
  const changed = Buffer.from(tar);
  changed.set(field, at + offset);
  changed.fill(' ', at + 148, at + 156);
  const sum = changed.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
  return changed;
}

async function* inChunks(bytes: Uint8Array, sizeBytes = 16_384): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += sizeBytes) {
    yield bytes.subarray(offset, offset + sizeBytes);
  }
}

async function readGzip(
  bytes: Uint8Array,
  options?: ReadArchiveOptions,
): Promise<readonly ArchiveObject[]> {
  return Array.fromAsync(readArchive(inChunks(bytes), options));
}

async function readTar(
  tar: Uint8Array,
  options?: ReadArchiveOptions,
): Promise<readonly ArchiveObject[]> {
  return readGzip(gzipSync(tar), options);
}

async function namesIn(tar: Uint8Array, options?: ReadArchiveOptions): Promise<readonly string[]> {
  return (await readTar(tar, options)).map(({ entry }) => entry.name);
}

const corrupt = { name: 'LifeboatError', code: 'CorruptBackup', operation: 'read archive' };

describe('a sound archive', () => {
  it('that Velero wrote is read: every object once, with its text', async () => {
    const objects = await Array.fromAsync(readArchive(createReadStream(seedArchive)));
    const snapshot = objects.find(
      ({ entry }) => entry.groupResource === 'volumesnapshots.snapshot.storage.k8s.io',
    );
    expect(snapshot?.entry).toEqual({
      groupResource: 'volumesnapshots.snapshot.storage.k8s.io',
      namespace: 'default',
      name: 'velero-local-pvc-pg6qb',
    });
    expect(parseJson(Buffer.from(snapshot?.bytes ?? []).toString())).toMatchObject({
      kind: 'VolumeSnapshot',
      metadata: { name: 'velero-local-pvc-pg6qb', namespace: 'default' },
    });
    const paths = gunzipSync(await readFile(seedArchive))
      .toString('latin1')
      .match(/-preferredversion\//g);
    expect(objects).toHaveLength(paths?.length ?? -1);
  });

  it('is read without holding what is not selected', async () => {
    const tar = await tarOf(['a', 'b', 'c'].map((name) => ({ name: pod(name), body: name })));
    expect(await namesIn(tar, { select: ({ name }) => name !== 'b' })).toEqual(['a', 'c']);
  });

  it('may hold directories, ./ paths, versioned copies and unknown files', async () => {
    const tar = await tarOf([
      { name: './', type: 'directory' },
      { name: './resources/pods/', type: 'directory' },
      { name: 'metadata/version', body: '1.1.0\n' },
      { name: `./${pod('a')}`, body: '{}' },
      { name: 'resources/pods/v1-preferredversion/namespaces/shop/a.json', body: '{}' },
      { name: 'resources/pods/README', body: 'hello' },
      { name: 'notes.txt', body: 'hello' },
    ]);
    expect(await namesIn(tar)).toEqual(['a']);
  });

  it('may hold names that need an extended header', async () => {
    const names = ['n'.repeat(240), 'größe-日本'];
    const tar = await tarOf(names.map((name) => ({ name: pod(name), body: '{}' })));
    expect(await namesIn(tar)).toEqual(names);
  });

  it('may be compressed in several members', async () => {
    const tar = await tarOf(['a', 'b'].map((name) => ({ name: pod(name), body: name })));
    const members = [tar.subarray(0, 700), tar.subarray(700, 1_500), tar.subarray(1_500)];
    const objects = await readGzip(Buffer.concat(members.map((member) => gzipSync(member))));
    expect(objects.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['a', 'b']);
  });

  it('may be padded with zeros, and empty but for its end marker', async () => {
    expect(await namesIn(Buffer.alloc(10_240))).toEqual([]);
  });

  it('may come in chunks of any size', async () => {
    const bytes = gzipSync(await tarOf([{ name: pod('a'), body: 'x'.repeat(5_000) }]));
    for (const sizeBytes of [1, 7, 511, 513]) {
      const [object] = await Array.fromAsync(readArchive(inChunks(bytes, sizeBytes)));
      expect(object?.bytes.byteLength).toBe(5_000);
    }
  });

  it('leaves bad JSON to its reader', async () => {
    const [object] = await readTar(await tarOf([{ name: pod('a'), body: '{broken' }]));
    expect(Buffer.from(object?.bytes ?? []).toString()).toBe('{broken');
  });
});

describe('a hostile archive is refused:', () => {
  it.each<{ name: string; entries: readonly TarEntry[] }>([
    { name: 'a traversal', entries: [{ name: '../../etc/passwd', body: 'x' }] },
    {
      name: 'a traversal inside',
      entries: [{ name: 'resources/pods/../../../x.json', body: 'x' }],
    },
    { name: 'a traversal of a directory', entries: [{ name: '../x/', type: 'directory' }] },
    { name: 'an encoded traversal', entries: [{ name: pod('%2e%2e'), body: 'x' }] },
    { name: 'a NUL', entries: [{ name: pod('a'), pax: { path: pod('a\0b') }, body: 'x' }] },
    { name: 'an absolute path', entries: [{ name: '/etc/passwd', body: 'x' }] },
    { name: 'an absolute path behind ./', entries: [{ name: './/etc/passwd', body: 'x' }] },
    {
      name: 'a symbolic link',
      entries: [{ name: pod('a'), type: 'symlink', linkname: '/etc/passwd' }],
    },
    { name: 'a hard link', entries: [{ name: pod('a'), type: 'link', linkname: pod('b') }] },
    { name: 'a character device', entries: [{ name: pod('a'), type: 'character-device' }] },
    { name: 'a block device', entries: [{ name: pod('a'), type: 'block-device' }] },
    { name: 'a pipe', entries: [{ name: pod('a'), type: 'fifo' }] },
    {
      name: 'an object that occurs twice',
      entries: [
        { name: pod('a'), body: '1' },
        { name: pod('a'), body: '2' },
      ],
    },
    {
      name: 'an object that occurs twice, spelled differently',
      entries: [
        { name: pod('a'), body: '1' },
        { name: `././${pod('a')}`, body: '2' },
      ],
    },
  ])('$name', async ({ entries }) => {
    await expect(readTar(await tarOf(entries))).rejects.toMatchObject(corrupt);
  });

  it('an unknown type of entry', async () => {
    const tar = withHeaderField(await tarOf([{ name: pod('a') }]), 156, Buffer.from('Z'));
    await expect(readTar(tar)).rejects.toMatchObject(corrupt);
  });

  it('a file larger than allowed, before it is read', async () => {
    const tar = await tarOf([{ name: 'notes.txt', body: 'x'.repeat(2_000) }]);
    await expect(readTar(tar, { maximumEntryBytes: 1_999 })).rejects.toMatchObject(corrupt);
    expect(await namesIn(tar, { maximumEntryBytes: 2_000 })).toEqual([]);
  });

  it('a file of a negative or absurd size', async () => {
    const tar = await tarOf([{ name: pod('a'), body: 'x' }]);
    for (const size of [
      [...Buffer.alloc(11, 0xff), 0xfe],
      [0x80, ...Buffer.alloc(11, 0x7f)],
    ]) {
      await expect(readTar(withHeaderField(tar, 124, Uint8Array.from(size)))).rejects.toMatchObject(
        corrupt,
      );
    }
  });

  it('more entries than allowed', async () => {
    const tar = await tarOf(['a', 'b', 'c'].map((name) => ({ name: pod(name), body: '{}' })));
    await expect(readTar(tar, { maximumEntries: 2 })).rejects.toMatchObject(corrupt);
    expect(await namesIn(tar, { maximumEntries: 3 })).toHaveLength(3);
  });

  it('paths of more characters than allowed', async () => {
    const tar = await tarOf(['a', 'b', 'c'].map((name) => ({ name: pod(name), body: '{}' })));
    const maximumPathCharacters = 3 * pod('a').length;
    expect(await namesIn(tar, { maximumPathCharacters })).toHaveLength(3);
    const reading = readTar(tar, { maximumPathCharacters: maximumPathCharacters - 1 });
    await expect(reading).rejects.toMatchObject(corrupt);
    await expect(reading).rejects.toThrow('characters together');
  });

  it('an archive that unpacks to more than allowed', async () => {
    const tar = await tarOf([{ name: pod('a'), body: 'x'.repeat(20_000) }]);
    await expect(readTar(tar, { maximumTotalBytes: 10_000 })).rejects.toMatchObject(corrupt);
  });

  it('a bomb, long before it has unpacked', async () => {
    const body = ' '.repeat(10 * 1024 * 1024);
    const names = Array.from({ length: 7 }, (_, index) => pod(`bomb-${index}`));
    const bytes = gzipSync(await tarOf(names.map((name) => ({ name, body }))));
    let read = 0;
    const reading = async (): Promise<void> => {
      for await (const { entry } of readArchive(inChunks(bytes), { select: () => false })) {
        expect.unreachable(entry.name);
      }
    };
    await expect(reading()).rejects.toThrow('500 times its size');
    for await (const object of readArchive(inChunks(bytes), { maximumRatio: 2_000 })) {
      read += object.bytes.byteLength;
    }
    expect(read).toBe(7 * body.length);
  });

  it('an extended header of any size, without holding it', async () => {
    const header = await tarOf([{ name: 'PaxHeader', body: 'x' }]);
    const huge = withHeaderField(
      header,
      124,
      Buffer.from(`${(2 ** 32).toString(8)} `.padStart(12, '0')),
    );
    const tar = Buffer.concat([
      withHeaderField(huge, 156, Buffer.from('x')).subarray(0, 512),
      Buffer.alloc(8 * 1024 * 1024, '1 '),
    ]);
    await expect(readTar(tar)).rejects.toMatchObject(corrupt);
  });
});

describe('a damaged archive is refused:', () => {
  const twoPods = (): Promise<Buffer> =>
    tarOf(['a', 'b'].map((name) => ({ name: pod(name), body: name.repeat(600) })));

  it('cut anywhere in its compressed bytes', async () => {
    const bytes = await readFile(seedArchive);
    for (let length = 0; length < bytes.byteLength; length += 97) {
      await expect(readGzip(bytes.subarray(0, length))).rejects.toMatchObject(corrupt);
    }
    await expect(readGzip(bytes.subarray(0, -1))).rejects.toMatchObject(corrupt);
  });

  it('cut at any block of the tar, also between two entries', async () => {
    const tar = await twoPods();
    for (let length = 0; length < tar.byteLength - 512; length += 512) {
      await expect(readTar(tar.subarray(0, length))).rejects.toMatchObject(corrupt);
    }
    await expect(readTar(tar.subarray(0, -512))).rejects.toMatchObject(corrupt);
    expect(await namesIn(tar)).toEqual(['a', 'b']);
  });

  it('with a header that was changed', async () => {
    const tar = await twoPods();
    for (const offset of [0, 50, 130, 150, 257]) {
      const changed = Buffer.from(tar);
      changed[offset] = (changed[offset] ?? 0) ^ 1;
      await expect(readTar(changed)).rejects.toMatchObject(corrupt);
    }
  });

  it('with a byte of the compressed data that was changed', async () => {
    const bytes = await readFile(seedArchive);
    for (let offset = 100; offset < bytes.byteLength; offset += 501) {
      const changed = Buffer.from(bytes);
      changed[offset] = (changed[offset] ?? 0) ^ 0x10;
      await expect(readGzip(changed)).rejects.toMatchObject(corrupt);
    }
  });

  it('with something behind the end of the tar', async () => {
    const tar = await twoPods();
    const more = await tarOf([{ name: pod('c'), body: 'c' }]);
    for (const garbage of [more, Buffer.alloc(512, 'x'), Buffer.from('x')]) {
      await expect(readTar(Buffer.concat([tar, garbage]))).rejects.toMatchObject(corrupt);
    }
  });

  it('with something behind the compressed data', async () => {
    const bytes = gzipSync(await twoPods());
    for (const garbage of ['x', 'garbage'.repeat(10_000)]) {
      const changed = Buffer.concat([bytes, Buffer.from(garbage)]);
      await expect(readGzip(changed)).rejects.toMatchObject(corrupt);
    }
  });

  it.each(['', 'not compressed at all', '{"json":true}'])('that is %j', async (text) => {
    await expect(readGzip(Buffer.from(text))).rejects.toMatchObject(corrupt);
  });
});

describe('reading', () => {
  const manyPods = async (): Promise<Buffer> =>
    gzipSync(
      await tarOf(
        Array.from({ length: 500 }, (_, index) => ({
          name: pod(`p-${index}`),
          body: `${index}`.repeat(200),
        })),
      ),
    );

  it('passes an error of the source on as it is', async () => {
    const bytes = await manyPods();
    const failure = new Error('connection reset');
    async function* source(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1_000);
      throw failure;
    }
    await expect(Array.fromAsync(readArchive(source()))).rejects.toBe(failure);
  });

  it('rejects with the reason of an abort, and closes the source', async () => {
    const bytes = await manyPods();
    const controller = new AbortController();
    const reason = new Error('stop');
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(bytes, 100);
      } finally {
        closed = true;
      }
    }
    const reading = async (): Promise<void> => {
      for await (const { entry } of readArchive(source(), { signal: controller.signal })) {
        if (entry.name === 'p-3') {
          controller.abort(reason);
        }
      }
    };
    await expect(reading()).rejects.toBe(reason);
    expect(closed).toBe(true);
  });

  it('starts nothing when the signal has already aborted', async () => {
    const reason = new Error('stop');
    const objects = readArchive(
      { [Symbol.asyncIterator]: () => expect.unreachable() },
      { signal: AbortSignal.abort(reason) },
    );
    await expect(Array.fromAsync(objects)).rejects.toBe(reason);
  });

  it('closes the source when the loop is left', async () => {
    const bytes = await manyPods();
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(bytes, 100);
      } finally {
        closed = true;
      }
    }
    for await (const { entry } of readArchive(source())) {
      expect(entry.name).toBe('p-0');
      break;
    }
    expect(closed).toBe(true);
  });
});
