import { NumberRows } from './number-rows.ts';

const smallestBytes = 256;
const largestBytes = 64 * 1024;
const lengthBytes = 4;

/**
 * Texts in the order in which they were added. They are kept as bytes outside of the heap: as strings those of many objects would be what
 * outlives most collections of garbage, and V8 enlarges the space for new objects by how much that is. A surrogate without the other
 * becomes U+FFFD.
 */
export class TextList {
  /** Each text is behind its length. A block is not copied once it is full. */
  readonly #blocks: Buffer[] = [];
  /** Where each text is: the block, and the position in that. */
  readonly #places = new NumberRows(2);
  #filled = 0;

  get length(): number {
    return this.#places.length;
  }

  /** Adds a text; returns how many there were before. */
  add(text: string): number {
    const sizeBytes = Buffer.byteLength(text);
    const block = this.#blockFor(lengthBytes + sizeBytes);
    const index = this.#places.add(this.#blocks.length - 1, this.#filled);
    this.#filled = block.writeUInt32LE(sizeBytes, this.#filled);
    this.#filled += block.write(text, this.#filled);
    return index;
  }

  /** Throws RangeError when none was added as that. */
  at(index: number): string {
    const { block, start, end } = this.#place(index);
    return block.toString('utf8', start, end);
  }

  /** Whether a text was added. Takes time in proportion to how many there are. */
  has(text: string): boolean {
    const wanted = Buffer.from(text);
    for (let index = 0; index < this.length; index += 1) {
      const { block, start, end } = this.#place(index);
      if (wanted.compare(block, start, end) === 0) {
        return true;
      }
    }
    return false;
  }

  /** How two texts relate in the order of their code points: below zero when the first comes first. */
  compare(left: number, right: number): number {
    const one = this.#place(left);
    const other = this.#place(right);
    return one.block.compare(other.block, other.start, other.end, one.start, one.end);
  }

  *[Symbol.iterator](): Generator<string, void, undefined> {
    for (let index = 0; index < this.length; index += 1) {
      yield this.at(index);
    }
  }

  #place(index: number): { readonly block: Buffer; readonly start: number; readonly end: number } {
    const block = this.#blocks[this.#places.get(index, 0)] ?? Buffer.of();
    const start = this.#places.get(index, 1);
    const from = start + lengthBytes;
    return { block, start: from, end: from + block.readUInt32LE(start) };
  }

  #blockFor(neededBytes: number): Buffer {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#filled + neededBytes <= last.byteLength) {
      return last;
    }
    const grown = Math.min(largestBytes, Math.max(smallestBytes, 2 * (last?.byteLength ?? 0)));
    const block = Buffer.allocUnsafeSlow(Math.max(neededBytes, grown));
    this.#blocks.push(block);
    this.#filled = 0;
    return block;
  }
}
