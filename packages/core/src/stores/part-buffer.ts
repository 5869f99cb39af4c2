const smallestBytes = 64 * 1024;

/**
 * Memory that parts of a body are filled into one after the other.
 *
 * A part that was sent gives its memory back for a later one: memory outside of the heap that is only dropped stays until the
 * garbage collector comes, which is long after the process has grown by a multiple of what is in use.
 */
export class PartBuffer {
  readonly #partSizeBytes: number;
  readonly #free: Uint8Array[] = [];
  #buffer: Uint8Array = new Uint8Array();
  #usedBytes = 0;
  #isLong = false;

  constructor(partSizeBytes: number) {
    this.#partSizeBytes = partSizeBytes;
  }

  get isFull(): boolean {
    return this.#usedBytes === this.#partSizeBytes;
  }

  /** Copies as much of a chunk as there is room for, and returns how much that was. */
  fill(chunk: Uint8Array): number {
    const bytes = chunk.subarray(0, this.#partSizeBytes - this.#usedBytes);
    this.#makeRoomFor(bytes.byteLength);
    this.#buffer.set(bytes, this.#usedBytes);
    this.#usedBytes += bytes.byteLength;
    return bytes.byteLength;
  }

  /** Hands over what was filled in, and begins the next part. */
  take(): Uint8Array {
    const part = this.#buffer.subarray(0, this.#usedBytes);
    this.#buffer = new Uint8Array();
    this.#usedBytes = 0;
    this.#isLong = true;
    return part;
  }

  /** Takes back the memory of a whole part whose bytes nobody reads any more. */
  giveBack(part: Uint8Array): void {
    this.#free.push(part);
  }

  #makeRoomFor(bytes: number): void {
    const neededBytes = this.#usedBytes + bytes;
    if (neededBytes <= this.#buffer.byteLength) {
      return;
    }
    // Most bodies are short: only the second part shows that this one is not.
    const sizeBytes = this.#isLong
      ? this.#partSizeBytes
      : Math.min(
          this.#partSizeBytes,
          Math.max(neededBytes, 2 * this.#buffer.byteLength, smallestBytes),
        );
    const grown = this.#free.pop() ?? Buffer.allocUnsafeSlow(sizeBytes);
    grown.set(this.#buffer.subarray(0, this.#usedBytes));
    this.#buffer = grown;
  }
}
