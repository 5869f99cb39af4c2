import { createHash } from 'node:crypto';

/** A stream of bytes, counted and digested as it is read. Can be read once. */
export class MeasuredBody implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;
  #complete = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether it was read to its end. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The digest; ends the counting. */
  get sha256(): string {
    return this.#hash.digest('hex');
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#source) {
      this.#hash.update(chunk);
      this.#sizeBytes += chunk.byteLength;
      yield chunk;
    }
    this.#complete = true;
  }
}
