import { describe, expect, it } from 'vitest';
import { readListBytes } from './list-bytes.ts';
import { type PageBytes, PageMemory } from './page-memory.ts';

const blockBytes = 64 * 1024;

describe('PageMemory', () => {
  it('keeps the bytes of a body, whatever its chunks', async () => {
    const body = Buffer.from('0123456789ö'.repeat(20_000));
    for (const chunkBytes of [1_000, blockBytes - 1, blockBytes, 3 * blockBytes + 7]) {
      const bytes = await new PageMemory().read(chunksOf(body, chunkBytes));
      expect(bytes.sizeBytes).toBe(body.byteLength);
      expect(bytes.text(0, body.byteLength)).toBe(body.toString());
      // Across the ends of blocks, and exactly up to them.
      for (const [start, end] of [
        [blockBytes - 3, blockBytes + 3],
        [blockBytes, 2 * blockBytes],
        [10, blockBytes],
        [7, 7],
      ] as const) {
        expect(bytes.text(start, end)).toBe(body.subarray(start, end).toString());
      }
    }
  });

  it('reads a later page into the memory of one that was gone through', async () => {
    const memory = new PageMemory();
    const first = await memory.read(chunksOf(listOf(200, 'a'), blockBytes));
    const blocks = blocksOf(first);
    const items = readListBytes(first).items[Symbol.iterator]();
    items.next();
    // What has not been passed stays, although another page is read meanwhile.
    const meanwhile = await memory.read(chunksOf(listOf(200, 'b'), blockBytes));
    expect(blocksOf(meanwhile).isDisjointFrom(blocks)).toBe(true);
    expect([...iterated(items)].every((text) => text.includes('aaa'))).toBe(true);
    expect(blocksOf(await memory.read(chunksOf(listOf(200, 'c'), blockBytes)))).toEqual(blocks);
  });

  it('gives back behind the reader of a page, and the rest when it leaves', async () => {
    const memory = new PageMemory();
    const page = await memory.read(chunksOf(listOf(200, 'a'), blockBytes));
    const all = blocksOf(page);
    const items = readListBytes(page).items[Symbol.iterator]();
    for (let taken = 0; taken < 100; taken += 1) {
      items.next();
    }
    const passed = blocksOf(await memory.read(chunksOf(listOf(50, 'b'), blockBytes)));
    expect(passed.size).toBeGreaterThan(1);
    expect(passed.isSubsetOf(all)).toBe(true);
    items.return?.();
    const rest = blocksOf(await memory.read(chunksOf(listOf(90, 'c'), blockBytes)));
    expect(rest.isSubsetOf(all.difference(passed))).toBe(true);
  });

  it('gives back what it had of a body that broke off, and of a page that is no list', async () => {
    const memory = new PageMemory();
    const broken = memory.read(
      (async function* () {
        yield Buffer.alloc(2 * blockBytes, 'x');
        throw new Error('the connection broke');
      })(),
    );
    await expect(broken).rejects.toThrow('the connection broke');
    const invalid = await memory.read(chunksOf(Buffer.alloc(2 * blockBytes, 'x'), blockBytes));
    const blocks = blocksOf(invalid);
    expect(() => readListBytes(invalid)).toThrow(SyntaxError);
    expect(blocksOf(await memory.read(chunksOf(listOf(40, 'a'), blockBytes)))).toEqual(blocks);
  });

  it('keeps no more than 4 MiB that nobody uses', async () => {
    const memory = new PageMemory();
    const page = await memory.read(chunksOf(Buffer.alloc(100 * blockBytes), blockBytes));
    const used = blocksOf(page);
    page.release();
    const blocks = Array.from({ length: 100 }, () => memory.take());
    expect(blocks.filter(({ buffer }) => used.has(buffer))).toHaveLength(64);
  });

  it('never reads what was given back', async () => {
    const page = await new PageMemory().read(chunksOf(Buffer.alloc(3 * blockBytes), blockBytes));
    page.release(2 * blockBytes);
    expect(() => page.text(blockBytes, blockBytes + 1)).toThrow(RangeError);
    expect(page.text(2 * blockBytes, 2 * blockBytes + 1)).toBe('\0');
    page.release();
    expect(() => page.text(2 * blockBytes, 2 * blockBytes + 1)).toThrow(RangeError);
  });
});

function blocksOf(page: PageBytes): ReadonlySet<ArrayBufferLike> {
  return new Set(page.pieces(0, page.sizeBytes).map(({ buffer }) => buffer));
}

function listOf(items: number, letter: string): Buffer {
  return Buffer.from(JSON.stringify({ items: Array(items).fill(letter.repeat(3_000)) }));
}

async function* chunksOf(body: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < body.byteLength; start += chunkBytes) {
    yield body.subarray(start, start + chunkBytes);
  }
}

function* iterated(items: Iterator<string>): Generator<string> {
  for (let step = items.next(); step.done !== true; step = items.next()) {
    yield step.value;
  }
}
