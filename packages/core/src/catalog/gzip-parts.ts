import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);
const partBytes = 64 * 1024;

/**
 * Compresses a text that comes in pieces, as gzip members of some 64 KiB of it each, which together are one gzip file. In memory are what is
 * compressed already, the member at hand and those that wait for the compressor, which takes one at a time.
 */
export class GzipParts {
  readonly #parts: Promise<Uint8Array>[] = [];
  // Memory outside of the heap that is only dropped stays for long.
  readonly #spare: Buffer[] = [];
  #part: Buffer = Buffer.allocUnsafe(partBytes);
  #filled = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Adds a piece. */
  write(text: string): void {
    const sizeBytes = Buffer.byteLength(text);
    if (this.#filled + sizeBytes > this.#part.byteLength) {
      this.#endPart(sizeBytes);
    }
    this.#filled += this.#part.write(text, this.#filled);
  }

  /** The file. Nothing can be added afterwards. */
  async end(): Promise<Uint8Array> {
    this.#endPart(0);
    return Buffer.concat(await Promise.all(this.#parts));
  }

  #endPart(neededBytes: number): void {
    const part = this.#part;
    const bytes = part.subarray(0, this.#filled);
    // A compressor has some 250 KiB of its own: a text that comes all at once must not have one for each member.
    const compressing = this.#last.then(() => compress(bytes));
    this.#last = compressing;
    // Whoever ends the file hears of a failure; until somebody does, it must not count as unhandled.
    compressing.then(
      () => this.#spare.push(part),
      () => undefined,
    );
    this.#parts.push(compressing);
    const spare = neededBytes > partBytes ? undefined : this.#spare.pop();
    this.#part = spare ?? Buffer.allocUnsafe(Math.max(partBytes, neededBytes));
    this.#filled = 0;
  }
}
