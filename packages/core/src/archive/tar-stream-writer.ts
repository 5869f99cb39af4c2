import { TarArchive } from 'archiver';

/** Velero's extractor gives directories the mode of the files in them, so a file needs the execute bits. */
const entryMode = 0o755;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes a tar stream entry by entry, with back-pressure.
 *
 * `TarArchive` must never be destroyed: with an entry in flight that throws where nobody can catch it. So the stream is
 * always read to its end, and a consumer that has failed reads on and throws away what it gets.
 */
export class TarStreamWriter {
  readonly #tar = new TarArchive();
  readonly #modifiedAt: Date;
  readonly #waiting: Waiter[] = [];

  constructor(modifiedAt: Date) {
    this.#modifiedAt = modifiedAt;
    this.#tar.on('entry', () => this.#waiting.shift()?.resolve());
    this.#tar.on('error', (error) => {
      for (const waiter of this.#waiting.splice(0)) {
        waiter.reject(error);
      }
    });
  }

  /** The tar stream. Has to be read to its end. */
  get output(): AsyncIterable<Uint8Array> {
    return this.#tar;
  }

  /** Appends a regular file; resolves when the stream has taken it. */
  append(path: string, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#tar.append(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
        name: path,
        mode: entryMode,
        date: this.#modifiedAt,
      });
    });
  }

  /** Ends the stream with the end-of-archive marker. Every append has to have settled; no other may follow. */
  finalize(): void {
    // An error is emitted as well, and so reaches the reader of the output.
    this.#tar.finalize().catch(() => undefined);
  }
}
