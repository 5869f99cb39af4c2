const smallestBytes = 256;
const largestBytes = 64 * 1024;
const lengthBytes = 4;

/**
 * Names by kind, in the order in which they were added. They are kept as bytes outside of the heap: as strings those of many objects would
 * be what outlives most collections of garbage, and V8 enlarges the space for new objects by how much that is.
 */
export class StoredNames {
  readonly #kinds = new Map<string, NamesOfKind>();

  /** Adds a name of a kind, also when it is there. */
  add(kind: string, name: string): void {
    let names = this.#kinds.get(kind);
    if (names === undefined) {
      names = new NamesOfKind();
      this.#kinds.set(kind, names);
    }
    names.add(name);
  }

  /** Takes time in proportion to the names of the kind. */
  has(kind: string, name: string): boolean {
    return this.#kinds.get(kind)?.has(name) ?? false;
  }

  /** Each kind with its names. */
  [Symbol.iterator](): Iterator<readonly [kind: string, names: Iterable<string>]> {
    return this.#kinds.entries();
  }
}

/** Each name is behind its length, in blocks that are not copied once they are full. */
class NamesOfKind {
  readonly #blocks: Buffer[] = [];
  #block: Buffer = Buffer.of();
  #filled = 0;

  add(name: string): void {
    const bytes = Buffer.byteLength(name);
    if (this.#filled + lengthBytes + bytes > this.#block.byteLength) {
      this.#endBlock(lengthBytes + bytes);
    }
    this.#filled = this.#block.writeUInt32LE(bytes, this.#filled);
    this.#filled += this.#block.write(name, this.#filled);
  }

  has(name: string): boolean {
    const wanted = Buffer.from(name);
    return this.#rows().some((row) => row.equals(wanted));
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#rows().map((row) => row.toString());
  }

  *#rows(): Generator<Buffer, void, undefined> {
    for (const block of [...this.#blocks, this.#block.subarray(0, this.#filled)]) {
      for (let start = 0; start < block.byteLength; ) {
        const from = start + lengthBytes;
        const end = from + block.readUInt32LE(start);
        yield block.subarray(from, end);
        start = end;
      }
    }
  }

  #endBlock(neededBytes: number): void {
    this.#blocks.push(this.#block.subarray(0, this.#filled));
    const grown = Math.min(largestBytes, Math.max(smallestBytes, 2 * this.#block.byteLength));
    this.#block = Buffer.allocUnsafeSlow(Math.max(neededBytes, grown));
    this.#filled = 0;
  }
}
