import { LifeboatError } from '../errors.ts';

/** What a reader takes from an archive at most. */
export interface ArchiveLimits {
  /** Size of the archive when it is unpacked. */
  readonly maximumTotalBytes: number;
  /** Unpacked bytes per packed byte, judged from the first 64 MiB on. */
  readonly maximumRatio: number;
}

const judgedFromBytes = 64 * 1024 * 1024;

/** Counts what comes out of an archive, and holds it against its limits. */
export class ArchiveGuard {
  readonly #limits: ArchiveLimits;
  #totalBytes = 0;

  constructor(limits: ArchiveLimits) {
    this.#limits = limits;
  }

  /**
   * Takes note of bytes that were unpacked.
   *
   * @param packedBytes - of which all that came up to now was unpacked.
   * @throws {LifeboatError} code CorruptBackup when it is too much.
   */
  count(unpackedBytes: number, packedBytes: number): void {
    const { maximumTotalBytes, maximumRatio } = this.#limits;
    this.#totalBytes += unpackedBytes;
    if (this.#totalBytes > maximumTotalBytes) {
      throw corruptArchive(`it unpacks to more than ${maximumTotalBytes} bytes`);
    }
    if (this.#totalBytes > judgedFromBytes && this.#totalBytes > maximumRatio * packedBytes) {
      throw corruptArchive(`it unpacks to more than ${maximumRatio} times its size`);
    }
  }
}

/** The error for an archive that cannot be trusted. */
export function corruptArchive(problem: string, cause?: unknown): LifeboatError {
  return new LifeboatError(
    `read archive: the archive is damaged or was not written by a backup: ${problem}; restore from another backup`,
    { code: 'CorruptBackup', operation: 'read archive', cause },
  );
}
