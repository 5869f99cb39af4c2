import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

// Small, so that a body gives back what its reader has passed while it still holds the rest.
const blockBytes = 64 * 1024;
const mostFreeBytes = 4 * 1024 * 1024;

/**
 * Memory for bodies of some megabytes, one after another, in blocks. One that has been gone through gives its blocks back for a later one:
 * memory outside of the heap that is only dropped stays until the garbage collector comes, which is long after the process has grown by a
 * multiple of what is in use. Up to 4 MiB are kept while nobody uses them.
 */
export class BlockMemory {
  readonly #free: Buffer[] = [];

  /** Reads a body to its end. Rejects as the body does, and keeps nothing then. */
  async read(body: AsyncIterable<Uint8Array>): Promise<BlockBytes> {
    const bytes = new BlockBytes(this);
    try {
      // Chunk by chunk as they come: a loop over a stream gets those that came together as one, which takes memory once more.
      await pipeline(body, sinkOf(bytes));
    } catch (error) {
      bytes.release();
      throw error;
    }
    return bytes;
  }

  /** A block, whatever bytes it has. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  /** Takes back a block that nobody reads any more. */
  giveBack(block: Buffer): void {
    if (this.#free.length * blockBytes < mostFreeBytes) {
      this.#free.push(block);
    }
  }
}

/** The bytes of a body, in blocks of a {@link BlockMemory}. */
export class BlockBytes {
  readonly #memory: BlockMemory;
  readonly #blocks: Buffer[] = [];
  /** Of the blocks that were given back. */
  #releasedBytes = 0;
  #sizeBytes = 0;

  constructor(memory: BlockMemory) {
    this.#memory = memory;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Copies a chunk to the end. */
  append(chunk: Uint8Array): void {
    for (let copied = 0; copied < chunk.byteLength; ) {
      const offset = this.#sizeBytes % blockBytes;
      if (offset === 0) {
        this.#blocks.push(this.#memory.take());
      }
      const piece = chunk.subarray(copied, copied + blockBytes - offset);
      this.#blocks.at(-1)?.set(piece, offset);
      copied += piece.byteLength;
      this.#sizeBytes += piece.byteLength;
    }
  }

  /** The bytes from one position to another, where they are. They must not have been given back. */
  pieces(start: number, end: number): readonly Buffer[] {
    const pieces: Buffer[] = [];
    const first = Math.floor((start - this.#releasedBytes) / blockBytes);
    let from = this.#releasedBytes + first * blockBytes;
    for (let index = first; from < end; index += 1) {
      const piece = this.#blocks[index]?.subarray(Math.max(0, start - from), end - from);
      if (piece === undefined) {
        throw new RangeError('these bytes have been given back, or are not there');
      }
      pieces.push(piece);
      from += blockBytes;
    }
    return pieces;
  }

  /** The text of the bytes from one position to another; what is not UTF-8 becomes U+FFFD. They must not have been given back. */
  text(start: number, end: number): string {
    const from = start - this.#releasedBytes;
    const offset = from % blockBytes;
    const block = this.#blocks[(from - offset) / blockBytes];
    return block !== undefined && offset + end - start <= blockBytes
      ? block.toString('utf8', offset, offset + end - start)
      : Buffer.concat(this.pieces(start, end)).toString();
  }

  /** Gives back the blocks that end before a position, whose bytes are not to be read any more. @default all of them */
  release(end: number = Number.POSITIVE_INFINITY): void {
    while (this.#blocks.length > 0 && this.#releasedBytes + blockBytes <= end) {
      const block = this.#blocks.shift();
      this.#releasedBytes += blockBytes;
      if (block !== undefined) {
        this.#memory.giveBack(block);
      }
    }
  }
}

function sinkOf(bytes: BlockBytes): Writable {
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      bytes.append(chunk);
      done();
    },
  });
}
