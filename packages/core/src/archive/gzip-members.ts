import { Transform, type TransformCallback } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ArchiveMember } from './archive-index.ts';
import { TarFraming } from './tar-framing.ts';

/** Where a group of files lies in the stretch of tar that a gzip member holds. */
export interface GroupPlace {
  readonly member: number;
  readonly offset: number;
  readonly tarBytes: number;
}

const compress = promisify(gzip);
const memberBytes = 1024 * 1024;

/**
 * Compresses a tar stream as a sequence of gzip members, which every gzip reader takes for one file. A member ends behind a group of
 * files once it holds 1 MiB, so that what is in it can be read without the rest.
 *
 * Two members are compressed at a time at most, beside the code that makes the next one; memory is bounded by their size.
 */
export class GzipMembers extends Transform {
  readonly #framing = new TarFraming();
  readonly #members: ArchiveMember[] = [];
  readonly #groups: { files: number; readonly onPlace: (place: GroupPlace) => void }[] = [];
  #chunks: Uint8Array[] = [];
  #blockBytes = 0;
  #groupOffset = 0;
  #started = 0;
  #written: Promise<void> = Promise.resolve();
  #offset = 0;

  /** The members so far; all of them once the stream has ended. */
  get members(): readonly ArchiveMember[] {
    return this.#members;
  }

  /** Announces the next files of the stream as a group, which no member's end divides. */
  expectGroup(files: number, onPlace: (place: GroupPlace) => void): void {
    this.#groups.push({ files, onPlace });
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    let from = 0;
    let previous: Promise<void> | undefined;
    for (const end of this.#framing.fileEnds(chunk)) {
      const offset = this.#blockBytes + end - from;
      if (this.#endsGroup(offset) && offset >= memberBytes) {
        this.#take(chunk.subarray(from, end));
        from = end;
        previous = this.#endMember();
      }
    }
    this.#take(chunk.subarray(from));
    settle(previous, done);
  }

  override _flush(done: TransformCallback): void {
    if (this.#blockBytes > 0) {
      void this.#endMember();
    }
    settle(this.#written, done);
  }

  #take(part: Uint8Array): void {
    if (part.byteLength > 0) {
      this.#chunks.push(part);
      this.#blockBytes += part.byteLength;
    }
  }

  /** Counts a file that ends at an offset of the member; tells whether its group ends with it. */
  #endsGroup(offset: number): boolean {
    const [group] = this.#groups;
    if (group !== undefined) {
      group.files -= 1;
      if (group.files > 0) {
        return false;
      }
      this.#groups.shift();
      const tarBytes = offset - this.#groupOffset;
      group.onPlace({ member: this.#started, offset: this.#groupOffset, tarBytes });
    }
    this.#groupOffset = offset;
    return true;
  }

  /** Starts to compress what has been taken; returns when the member before it has been written. */
  #endMember(): Promise<void> {
    const tarBytes = this.#blockBytes;
    const compressing = compress(Buffer.concat(this.#chunks, tarBytes));
    this.#chunks = [];
    this.#blockBytes = 0;
    this.#groupOffset = 0;
    this.#started += 1;
    const before = this.#written;
    this.#written = Promise.all([compressing, before]).then(([bytes]) => {
      this.#members.push({ offset: this.#offset, sizeBytes: bytes.byteLength, tarBytes });
      this.#offset += bytes.byteLength;
      this.push(bytes);
    });
    // Whoever waits for it hears of a failure; until somebody does, it must not count as unhandled.
    this.#written.catch(() => undefined);
    return before;
  }
}

function settle(work: Promise<void> | undefined, done: TransformCallback): void {
  if (work === undefined) {
    done();
    return;
  }
  work.then(
    () => done(),
    (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
  );
}
