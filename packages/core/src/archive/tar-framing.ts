const blockBytes = 512;
const typeOffset = 156;
const sizeOffset = 124;
const sizeDigits = 12;
// Headers that say something of the file behind them, such as a name too long for its own header.
const extensionTypes: ReadonlySet<string> = new Set(['x', 'g', 'L', 'K']);

/** Follows a tar stream, in chunks of any size, and tells where its files end. Knows what our own writer makes, no more. */
export class TarFraming {
  readonly #header: Buffer = Buffer.alloc(blockBytes);
  #headerFill = 0;
  #bodyBytesLeft = 0;
  #isExtension = false;

  /**
   * Takes bytes of the stream up to where the next file, or the end marker, begins; returns the offset of that in the chunk, or `undefined`
   * when the chunk ends before. It goes on at the offset that was returned last.
   */
  fileEnd(chunk: Uint8Array, start: number): number | undefined {
    for (let offset = start; offset < chunk.byteLength; ) {
      if (this.#bodyBytesLeft > 0) {
        const step = Math.min(this.#bodyBytesLeft, chunk.byteLength - offset);
        offset += step;
        this.#bodyBytesLeft -= step;
      } else {
        offset += this.#fillHeader(chunk, offset);
        if (this.#headerFill < blockBytes) {
          return undefined;
        }
        this.#headerFill = 0;
        if (this.#header[0] === 0) {
          continue;
        }
        this.#readHeader();
      }
      if (this.#bodyBytesLeft === 0 && !this.#isExtension) {
        return offset;
      }
    }
    return undefined;
  }

  #fillHeader(chunk: Uint8Array, offset: number): number {
    const part = chunk.subarray(offset, offset + blockBytes - this.#headerFill);
    this.#header.set(part, this.#headerFill);
    this.#headerFill += part.byteLength;
    return part.byteLength;
  }

  #readHeader(): void {
    const digits = this.#header.toString('latin1', sizeOffset, sizeOffset + sizeDigits);
    const sizeBytes = Number.parseInt(digits, 8);
    this.#bodyBytesLeft = Math.ceil(sizeBytes / blockBytes) * blockBytes;
    const type = this.#header.toString('latin1', typeOffset, typeOffset + 1);
    this.#isExtension = extensionTypes.has(type);
  }
}
