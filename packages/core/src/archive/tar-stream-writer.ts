import { type Pack, pack } from 'tar-stream';

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
 * Writes a tar, entry by entry.
 *
 * Nothing here holds an appender back, so that it must not append much more than has come out. The stream is never destroyed: whoever has
 * failed takes what is under way, and forgets it.
 */
export class TarStreamWriter {
  readonly #pack: Pack = pack({ highWaterMark: 1024 * 1024 });
  readonly #modifiedAt: Date;
  readonly #onFailure: (error: unknown) => void;

  constructor(modifiedAt: Date, { onChunk, onFailure }: TarStreamListener) {
    this.#modifiedAt = modifiedAt;
    this.#onFailure = onFailure;
    this.#pack.on('error', onFailure).on('data', (chunk) => {
      // Always so, but the declarations do not say it.
      if (chunk instanceof Uint8Array) {
        onChunk(chunk);
      }
    });
  }

  /** Appends a regular file. The bytes must not change until they have come out. */
  append(path: string, bytes: Buffer): void {
    const header = { name: path, mode: entryMode, mtime: this.#modifiedAt };
    this.#pack.entry(header, bytes).on('error', this.#onFailure);
  }

  /** Ends the tar with its marker; resolves when that has come out. Every entry has to have come out before. */
  finalize(): Promise<void> {
    return new Promise((resolve) => {
      this.#pack.on('end', resolve);
      this.#pack.finalize();
    });
  }
}
