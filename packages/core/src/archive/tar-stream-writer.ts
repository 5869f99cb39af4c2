import { once } from 'node:events';
import { TarArchive } from 'archiver';

/** Velero's extractor gives directories the mode of the files in them, so a file needs the execute bits. */
const entryMode = 0o755;

/** Where the tar of a {@link TarStreamWriter} goes. */
export interface TarStreamListener {
  /** Gets the tar, one chunk after another; the memory of a chunk may be that of a file's content. */
  readonly onChunk: (chunk: Uint8Array) => void;
  /** The tar cannot be made; nothing more comes of it. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Writes a tar with `archiver`, entry by entry.
 *
 * Nothing here holds an appender back, so that it must not append much more than has come out. The archive is never aborted or destroyed,
 * which with an entry under way throws where nobody can catch it: whoever has failed takes what is under way, and forgets it.
 */
export class TarStreamWriter {
  readonly #tar = new TarArchive();
  readonly #modifiedAt: Date;
  readonly #onFailure: (error: unknown) => void;

  constructor(modifiedAt: Date, { onChunk, onFailure }: TarStreamListener) {
    this.#modifiedAt = modifiedAt;
    this.#onFailure = onFailure;
    this.#tar.on('error', onFailure).on('data', (chunk) => {
      // Always so, but the declarations do not say it.
      if (chunk instanceof Uint8Array) {
        onChunk(chunk);
      }
    });
  }

  /** Appends a regular file. The bytes must not change until they have come out. */
  append(path: string, bytes: Buffer): void {
    this.#tar.append(bytes, { name: path, mode: entryMode, date: this.#modifiedAt });
  }

  /** Ends the tar with its marker; resolves when that has come out. Every entry has to have come out before. */
  async finalize(): Promise<void> {
    const ended = once(this.#tar, 'end');
    this.#tar.finalize().catch(this.#onFailure);
    await ended;
  }
}
