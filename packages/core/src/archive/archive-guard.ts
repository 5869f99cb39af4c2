import { Transform, type TransformCallback } from 'node:stream';
import { LifeboatError } from '../errors.ts';

/** What a reader takes from an archive at most. */
export interface ArchiveLimits {
  /** Size of the archive when it is unpacked. */
  readonly maximumTotalBytes: number;
  /** Unpacked bytes per packed byte, judged from the first 64 MiB on. */
  readonly maximumRatio: number;
}

const blockBytes = 512;
const zeroBlock: Uint8Array = new Uint8Array(blockBytes);
const judgedFromBytes = 64 * 1024 * 1024;

/**
 * Passes an unpacked tar stream on while it stays within its limits and is framed as it should be.
 *
 * A tar parser does not notice an archive that was cut between two entries, and reads on behind the end marker. Both end here.
 */
export class ArchiveGuard extends Transform {
  readonly #limits: ArchiveLimits;
  readonly #packedBytes: () => number;
  #totalBytes = 0;
  #zeroBlocks = 0;
  #blockFill = 0;
  #blockIsZero = true;

  constructor(limits: ArchiveLimits, packedBytes: () => number) {
    super();
    this.#limits = limits;
    this.#packedBytes = packedBytes;
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    const problem = this.#exceeded(chunk.byteLength) ?? this.#misframed(chunk);
    if (problem === undefined) {
      done(null, chunk);
    } else {
      done(corruptArchive(problem));
    }
  }

  override _flush(done: TransformCallback): void {
    const ended = this.#zeroBlocks >= 2 && this.#blockFill === 0;
    done(ended ? null : corruptArchive('it ends without its end marker, so it was cut off'));
  }

  #exceeded(sizeBytes: number): string | undefined {
    const { maximumTotalBytes, maximumRatio } = this.#limits;
    this.#totalBytes += sizeBytes;
    if (this.#totalBytes > maximumTotalBytes) {
      return `it unpacks to more than ${maximumTotalBytes} bytes`;
    }
    if (
      this.#totalBytes > judgedFromBytes &&
      this.#totalBytes > maximumRatio * this.#packedBytes()
    ) {
      return `it unpacks to more than ${maximumRatio} times its size`;
    }
    return undefined;
  }

  // No file of a backup holds 1,024 zero bytes: JSON has none. So two blocks of zeros are always the end marker.
  #misframed(chunk: Uint8Array): string | undefined {
    for (let offset = 0; offset < chunk.byteLength; ) {
      const part = chunk.subarray(offset, offset + blockBytes - this.#blockFill);
      offset += part.byteLength;
      this.#blockFill += part.byteLength;
      // Nearly every block shows by its first byte that it is none of zeros.
      this.#blockIsZero &&=
        part[0] === 0 && Buffer.compare(part, zeroBlock.subarray(0, part.byteLength)) === 0;
      if (this.#blockFill < blockBytes) {
        break;
      }
      if (!this.#blockIsZero && this.#zeroBlocks >= 2) {
        return 'it goes on behind its end marker';
      }
      this.#zeroBlocks = this.#blockIsZero ? this.#zeroBlocks + 1 : 0;
      this.#blockFill = 0;
      this.#blockIsZero = true;
    }
    return undefined;
  }
}

/** The error for an archive that cannot be trusted. */
export function corruptArchive(problem: string, cause?: unknown): LifeboatError {
  return new LifeboatError(
    `read archive: the archive is damaged or was not written by a backup: ${problem}; restore from another backup`,
    { code: 'CorruptBackup', operation: 'read archive', cause },
  );
}
