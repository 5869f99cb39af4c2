import { Crc32c } from './crc32c.ts';

// Less is not worth a write of its own, and more need not be encrypted at once.
const leastBytes = 64 * 1024;
const mostBytes = 1024 * 1024;
const growthFactor = 8;

/**
 * The last bytes of a stream: what an upload may have to send again when its connection breaks.
 *
 * - They are copied into one buffer that is used over and over. The pieces of a stream, once dropped, stay in memory until the
 *   garbage collector comes, and are many by then.
 * - The stream is read when more is asked for than was read, and not ahead of that.
 */
export class ReplayWindow {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #capacityBytes: number;
  readonly #checksum = new Crc32c();
  #buffer: Buffer = Buffer.alloc(0);
  #end = 0;
  #rest: Uint8Array = new Uint8Array();
  #isComplete = false;
  #failure: { readonly error: unknown } | undefined;

  /** The capacity is at least 131,072 bytes. */
  constructor(source: AsyncIterable<Uint8Array>, capacityBytes: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#capacityBytes = capacityBytes;
  }

  /** Where the bytes begin that are still there. */
  get start(): number {
    return Math.max(0, this.#end - this.#capacityBytes);
  }

  /** How many bytes of the stream were read. */
  get end(): number {
    return this.#end;
  }

  /** Whether the stream has ended, so that {@link ReplayWindow.end} is its length. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** What the stream threw; `undefined` while it has not. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** The checksum of all that was read. */
  get checksum(): string {
    return this.#checksum.toString();
  }

  /** What was read so far, while that is not more than the capacity. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#end);
  }

  /** Reads until the stream was read that far, or has ended. */
  async readTo(end: number): Promise<void> {
    while (this.#end < end && !this.#isComplete) {
      if (this.#rest.byteLength === 0) {
        await this.#next();
      }
      this.#copy();
    }
  }

  /**
   * Gives the bytes from a position on to the end of the stream. Those of one step are there until the next is asked for, and
   * only one loop may be under way at a time.
   */
  async *from(position: number): AsyncGenerator<Uint8Array> {
    let next = position;
    for (;;) {
      await this.readTo(next + leastBytes);
      if (next === this.#end) {
        return;
      }
      const offset = next % this.#capacityBytes;
      // Up to the end of the buffer: what follows is at its start.
      const bytes = this.#buffer.subarray(offset, offset + Math.min(this.#end - next, mostBytes));
      yield bytes;
      next += bytes.byteLength;
    }
  }

  async #next(): Promise<void> {
    try {
      const result = await this.#source.next();
      this.#isComplete = result.done === true;
      this.#rest = result.done === true ? new Uint8Array() : result.value;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Takes at most half a window at once, so that what is still to be sent is never written over. */
  #copy(): void {
    const capacity = this.#capacityBytes;
    const offset = this.#end % capacity;
    const bytes = this.#rest.subarray(0, Math.min(capacity / 2, capacity - offset));
    this.#makeRoomFor(this.#end + bytes.byteLength);
    this.#buffer.set(bytes, offset);
    this.#checksum.update(bytes);
    this.#end += bytes.byteLength;
    this.#rest = this.#rest.subarray(bytes.byteLength);
  }

  #makeRoomFor(end: number): void {
    const { byteLength } = this.#buffer;
    if (end <= byteLength || byteLength === this.#capacityBytes) {
      return;
    }
    // Most streams are short.
    const sizeBytes = Math.min(Math.max(end, growthFactor * byteLength), this.#capacityBytes);
    const grown = Buffer.allocUnsafeSlow(sizeBytes);
    grown.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = grown;
  }
}
