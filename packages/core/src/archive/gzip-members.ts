import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ArchiveMember } from './archive-index.ts';
import { endOfTar, paddedBytes, TarHeaders } from './tar-headers.ts';

/** Where a group of files of the same content lies in the stretch of tar that a gzip member holds. */
export interface GroupPlace {
  readonly member: number;
  readonly offset: number;
  readonly tarBytes: number;
  /** Of the content. */
  readonly sizeBytes: number;
  /** Of the content, in base64. */
  readonly sha256: string;
}

const compress = promisify(gzip);
const memberBytes = 1024 * 1024;
// A member is full when it has passed its size, by one group.
const bufferBytes = memberBytes + 256 * 1024;
// Most backups are small, and need no more.
const firstBufferBytes = 64 * 1024;
// Zlib comes back to the main thread whenever a chunk is full.
const compressedChunkBytes = 256 * 1024;
const mostUnread = 2;

/**
 * Writes files as a tar that is compressed as a sequence of gzip members, which every gzip reader takes for one file. A member ends behind
 * a group of files once it holds 1 MiB, so that what is in it can be read without the rest.
 *
 * Two members at most are being compressed or wait to be read, beside the one that is being filled; memory is bounded by their size.
 * Can be read once.
 */
export class GzipMembers implements AsyncIterable<Uint8Array> {
  readonly #headers: TarHeaders;
  readonly #members: ArchiveMember[] = [];
  readonly #unread: Promise<Uint8Array>[] = [];
  readonly #spare: Buffer[] = [];
  #buffer: Buffer = Buffer.allocUnsafe(firstBufferBytes);
  #filled = 0;
  #started = 0;
  #offset = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #change = Promise.withResolvers<void>();

  constructor(modifiedAt: Date) {
    this.#headers = new TarHeaders(modifiedAt);
  }

  /** The members that have been read; all of them once the end has been. */
  get members(): readonly ArchiveMember[] {
    return this.#members;
  }

  /** Whether a group can be taken without waiting for the reader. */
  get hasRoom(): boolean {
    return this.#unread.length < mostUnread;
  }

  /** Resolves when there is room; rejects with what {@link GzipMembers.destroy} was called with. */
  async room(): Promise<void> {
    while (!this.hasRoom) {
      this.#throwIfDestroyed();
      await this.#change.promise;
    }
    this.#throwIfDestroyed();
  }

  /** Takes regular files of the same content as a group. */
  append(paths: readonly string[], text: string): GroupPlace {
    const sizeBytes = Buffer.byteLength(text);
    const headers = paths.map((path) => this.#headers.of(path, sizeBytes));
    const headerBytes = headers.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const tarBytes = headerBytes + paths.length * paddedBytes(sizeBytes);
    this.#reserve(tarBytes);
    const offset = this.#filled;
    const [first] = headers.map((header) => this.#write(header, text, sizeBytes));
    const content = this.#buffer.subarray(first, (first ?? 0) + sizeBytes);
    const place = {
      ...{ member: this.#started, offset, tarBytes, sizeBytes },
      sha256: hash('sha256', content, 'base64'),
    };
    if (this.#filled >= memberBytes) {
      this.#endMember();
    }
    return place;
  }

  /** Ends the tar. Nothing can be appended afterwards. */
  end(): void {
    this.#reserve(endOfTar.byteLength);
    this.#buffer.set(endOfTar, this.#filled);
    this.#filled += endOfTar.byteLength;
    this.#endMember();
    this.#ended = true;
  }

  /** Makes reader and writer fail with an error. */
  destroy(error: unknown): void {
    this.#failure ??= { error };
    this.#changed();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#throwIfDestroyed();
      const [next] = this.#unread;
      if (next !== undefined) {
        const bytes = await next;
        this.#throwIfDestroyed();
        yield bytes;
        void this.#unread.shift();
        this.#changed();
      } else if (this.#ended) {
        return;
      } else {
        await this.#change.promise;
      }
    }
  }

  #write(header: Uint8Array, text: string, sizeBytes: number): number {
    this.#buffer.set(header, this.#filled);
    const start = this.#filled + header.byteLength;
    this.#buffer.write(text, start);
    this.#filled = start + paddedBytes(sizeBytes);
    this.#buffer.fill(0, start + sizeBytes, this.#filled);
    return start;
  }

  #reserve(bytes: number): void {
    const needed = this.#filled + bytes;
    if (needed > this.#buffer.byteLength) {
      const grown = Math.min(4 * this.#buffer.byteLength, bufferBytes);
      const larger = Buffer.allocUnsafe(Math.max(needed, grown));
      this.#buffer.copy(larger, 0, 0, this.#filled);
      this.#buffer = larger;
    }
  }

  #endMember(): void {
    const buffer = this.#buffer;
    const tarBytes = this.#filled;
    this.#buffer = this.#spare.pop() ?? Buffer.allocUnsafe(firstBufferBytes);
    this.#filled = 0;
    this.#started += 1;
    const compressing = this.#compress(buffer, tarBytes);
    // The reader hears of a failure; one that has gone does not, and it must not count as unhandled.
    compressing.catch(() => undefined);
    this.#unread.push(compressing);
    this.#changed();
  }

  async #compress(buffer: Buffer, tarBytes: number): Promise<Uint8Array> {
    const before = this.#unread.at(-1);
    const bytes = await compress(buffer.subarray(0, tarBytes), { chunkSize: compressedChunkBytes });
    if (buffer.byteLength === bufferBytes) {
      this.#spare.push(buffer);
    }
    await before;
    this.#members.push({ offset: this.#offset, sizeBytes: bytes.byteLength, tarBytes });
    this.#offset += bytes.byteLength;
    return bytes;
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  #throwIfDestroyed(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }
}
