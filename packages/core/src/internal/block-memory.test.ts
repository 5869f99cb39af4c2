import { describe, expect, it } from 'vitest';
import { type BlockBytes, BlockMemory } from './block-memory.ts';

const blockBytes = 64 * 1024;

describe('BlockMemory', () => {
  it('keeps the bytes of a body, whatever its chunks', async () => {
    const body = Buffer.from('0123456789ö'.repeat(20_000));
    for (const chunkBytes of [1_000, blockBytes - 1, blockBytes, 3 * blockBytes + 7]) {
      const bytes = await new BlockMemory().read(chunksOf(body, chunkBytes));
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

  it('reads a later body into the memory of one that was gone through', async () => {
    const memory = new BlockMemory();
    const first = await memory.read(chunksOf(Buffer.alloc(3 * blockBytes), blockBytes));
    const blocks = blocksOf(first);
    // What has not been passed stays, although another body is read meanwhile.
    first.release(blockBytes + 1);
    const meanwhile = blocksOf(
      await memory.read(chunksOf(Buffer.alloc(2 * blockBytes), blockBytes)),
    );
    expect(meanwhile.intersection(blocks).size).toBe(1);
    first.release();
    const rest = blocksOf(await memory.read(chunksOf(Buffer.alloc(2 * blockBytes), blockBytes)));
    expect(rest).toEqual(blocks.difference(meanwhile));
  });

  it('gives back what it had of a body that broke off', async () => {
    const memory = new BlockMemory();
    const broken = memory.read(
      (async function* () {
        yield Buffer.alloc(2 * blockBytes, 'x');
        throw new Error('the connection broke');
      })(),
    );
    await expect(broken).rejects.toThrow('the connection broke');
    const blocks = [memory.take(), memory.take()];
    expect(blocks.every((block) => block.every((byte) => byte === 'x'.charCodeAt(0)))).toBe(true);
  });

  it('keeps no more than 4 MiB that nobody uses', async () => {
    const memory = new BlockMemory();
    const bytes = await memory.read(chunksOf(Buffer.alloc(100 * blockBytes), blockBytes));
    const used = blocksOf(bytes);
    bytes.release();
    const blocks = Array.from({ length: 100 }, () => memory.take());
    expect(blocks.filter(({ buffer }) => used.has(buffer))).toHaveLength(64);
  });

  it('never reads what was given back', async () => {
    const bytes = await new BlockMemory().read(chunksOf(Buffer.alloc(3 * blockBytes), blockBytes));
    bytes.release(2 * blockBytes);
    expect(() => bytes.text(blockBytes, blockBytes + 1)).toThrow(RangeError);
    expect(bytes.text(2 * blockBytes, 2 * blockBytes + 1)).toBe('\0');
    bytes.release();
    expect(() => bytes.text(2 * blockBytes, 2 * blockBytes + 1)).toThrow(RangeError);
  });
});

function blocksOf(bytes: BlockBytes): ReadonlySet<ArrayBufferLike> {
  return new Set(bytes.pieces(0, bytes.sizeBytes).map(({ buffer }) => buffer));
}

async function* chunksOf(body: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < body.byteLength; start += chunkBytes) {
    yield body.subarray(start, start + chunkBytes);
  }
}
