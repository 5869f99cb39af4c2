import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { BlockBytes, BlockMemory } from '../internal/block-memory.ts';
import type { ArchiveMember } from './archive-index.ts';

/** Where a group of files lies in the stretch of tar that a gzip member holds. */
export interface MemberPlace {
  readonly member: number;
  readonly offset: number;
  readonly tarBytes: number;
}

const memberBytes = 1024 * 1024;
// A member is full when it has passed its size, by one group.
const bufferBytes = memberBytes + 256 * 1024;
// Most backups are small, and need no more.
const firstBufferBytes = 64 * 1024;
const chunkBytes = 64 * 1024;
const mostUnread = 2;

/**
 * Compresses a tar as a sequence of gzip members, which every gzip reader takes for one file. A member ends behind a group of files once it
 * holds 1 MiB, so that what is in it can be read without the rest.
 *
 * Two members at most are being compressed or wait to be read, beside the one that is being filled; memory is bounded by their size.
 * Can be read once.
 */
export class GzipMembers implements AsyncIterable<Uint8Array> {
  readonly #members: ArchiveMember[] = [];
  readonly #unread: Promise<BlockBytes>[] = [];
  readonly #memory = new BlockMemory();
  readonly #spare: Buffer[] = [];
  #buffer: Buffer = Buffer.allocUnsafe(firstBufferBytes);
  #filled = 0;
  #groupOffset = 0;
  #started = 0;
  #offset = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  // Made when somebody waits.
  #change: PromiseWithResolvers<void> | undefined;

  /** The members that have been read; all of them once the end has been. */
  get members(): readonly ArchiveMember[] {
    return this.#members;
  }

  /** Whether the reader lets more be written. */
  get hasRoom(): boolean {
    return this.#unread.length < mostUnread;
  }

  /**
   * Resolves when a condition holds that groups which end, and the reader, may make true; rejects with what {@link GzipMembers.destroy} was
   * called with.
   */
  async until(condition: () => boolean): Promise<void> {
    this.#throwIfDestroyed();
    while (!condition()) {
      await this.#changes();
      this.#throwIfDestroyed();
    }
  }

  /** Takes a piece of the tar. Its memory can be used for something else afterwards. */
  write(piece: Uint8Array): void {
    this.#reserve(piece.byteLength);
    this.#buffer.set(piece, this.#filled);
    this.#filled += piece.byteLength;
  }

  /** Ends a group of files, which is all that was written since the last one. */
  endGroup(): MemberPlace {
    const offset = this.#groupOffset;
    const place = { member: this.#started, offset, tarBytes: this.#filled - offset };
    this.#groupOffset = this.#filled;
    if (this.#filled >= memberBytes) {
      this.#endMember();
    }
    this.#changed();
    return place;
  }

  /** Ends the last member. Nothing can be written afterwards. */
  end(): void {
    this.#ended = true;
    this.#endMember();
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
        // Copies, since whoever reads may keep them.
        for (const piece of bytes.pieces(0, bytes.sizeBytes)) {
          yield Buffer.from(piece);
          this.#throwIfDestroyed();
        }
        bytes.release();
        void this.#unread.shift();
        this.#changed();
      } else if (this.#ended) {
        return;
      } else {
        await this.#changes();
      }
    }
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
    this.#groupOffset = 0;
    this.#started += 1;
    const compressing = this.#compress(buffer, tarBytes);
    // The reader hears of a failure; one that has gone does not, and it must not count as unhandled.
    compressing.catch(() => undefined);
    this.#unread.push(compressing);
    this.#changed();
  }

  async #compress(buffer: Buffer, tarBytes: number): Promise<BlockBytes> {
    const before = this.#unread.at(-1);
    const bytes = new BlockBytes(this.#memory);
    const gzip = createGzip({ chunkSize: chunkBytes });
    // Out of what waits for the garbage collector as soon as it comes. Where nothing holds the stream back this is all of a pipeline.
    gzip.on('data', (chunk: Uint8Array) => bytes.append(chunk));
    gzip.end(buffer.subarray(0, tarBytes));
    await once(gzip, 'end');
    if (buffer.byteLength === bufferBytes) {
      this.#spare.push(buffer);
    }
    await before;
    this.#members.push({ offset: this.#offset, sizeBytes: bytes.sizeBytes, tarBytes });
    this.#offset += bytes.sizeBytes;
    return bytes;
  }

  #changes(): Promise<void> {
    this.#change ??= Promise.withResolvers();
    return this.#change.promise;
  }

  #changed(): void {
    this.#change?.resolve();
    this.#change = undefined;
  }

  #throwIfDestroyed(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }
}
