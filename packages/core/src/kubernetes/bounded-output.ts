/** Keeps the beginning of an output, up to a number of bytes, and counts on the rest being dropped. */
export class BoundedOutput {
  readonly #maximumBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  #truncated = false;

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes;
  }

  /** Whether anything was dropped. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** Takes bytes; what does not fit is dropped. */
  append(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.#maximumBytes - this.#sizeBytes);
    this.#truncated ||= kept.byteLength < bytes.byteLength;
    this.#sizeBytes += kept.byteLength;
    if (kept.byteLength > 0) {
      this.#chunks.push(kept);
    }
  }

  /** What was kept. */
  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks, this.#sizeBytes);
  }
}
