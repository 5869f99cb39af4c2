import { corruptArchive } from './archive-guard.ts';
import { paxRecords } from './pax-records.ts';
import { readTarHeader, type TarHeader, tarBlockBytes } from './tar-header.ts';

/** A file of a tar, or something else that has a path. */
export interface TarEntry {
  readonly name: string;
  /** `other`: a link, a device, or something unknown. */
  readonly type: 'file' | 'directory' | 'other';
  /** In bytes; `NaN` when what is said is none. */
  readonly size: number;
}

/** The content of an entry that was asked for. */
export interface TarContent<T> {
  /** What it was asked for as. */
  readonly as: T;
  /** Mostly part of the chunk that was taken. */
  readonly bytes: Buffer;
}

/** A content of which more is to come. */
interface OpenContent<T> {
  /** What it is asked for as; absent for one that says something of the next entry. */
  readonly as?: T | undefined;
  readonly type: string;
  readonly size: number;
  readonly parts: Buffer[];
  bytesLeft: number;
}

// As much as Go takes.
const mostExtensionBytes = 1024 * 1024;

/**
 * Takes a tar apart that anybody may have written, in chunks of any size. Knows the headers of POSIX and of GNU, and what their
 * extensions say of the path and size of the next entry. What an extension says of all entries is passed over, as Go does.
 *
 * Memory holds what has come of an entry that was asked for. What is not a sound tar, or was cut off, throws LifeboatError, code CorruptBackup.
 */
export class TarReader<T extends object> {
  readonly #want: (entry: TarEntry) => T | undefined;
  readonly #header: Buffer = Buffer.alloc(tarBlockBytes);
  #headerFill = 0;
  #zeroBlocks = 0;
  #bytesToSkip = 0;
  #content: OpenContent<T> | undefined;
  /** What extensions have said of the next entry. */
  #longName: string | undefined;
  #records: ReadonlyMap<string, string> | undefined;

  /** @param want - is told of each entry; what it returns is yielded with the content, which is passed over when that is nothing. */
  constructor(want: (entry: TarEntry) => T | undefined) {
    this.#want = want;
  }

  /** Takes the next bytes, and yields each content that ends in them. They have to be gone through before the next are taken. */
  *take(chunk: Buffer): Generator<TarContent<T>, void, undefined> {
    for (let at = 0; at < chunk.byteLength; ) {
      if (this.#bytesToSkip > 0) {
        const step = Math.min(this.#bytesToSkip, chunk.byteLength - at);
        this.#bytesToSkip -= step;
        at += step;
        continue;
      }
      at =
        this.#content === undefined
          ? this.#takeHeader(chunk, at)
          : takeContent(this.#content, chunk, at);
      if (this.#content?.bytesLeft === 0) {
        yield* this.#endContent(this.#content);
      }
    }
  }

  /** Nothing more comes. */
  end(): void {
    const isCut = this.#headerFill > 0 || this.#bytesToSkip > 0 || this.#content !== undefined;
    if (isCut || this.#zeroBlocks < 2) {
      throw corruptArchive('it ends without its end marker, so it was cut off');
    }
  }

  #takeHeader(chunk: Buffer, start: number): number {
    const end = start + tarBlockBytes - this.#headerFill;
    if (this.#headerFill === 0 && end <= chunk.byteLength) {
      this.#begin(readTarHeader(chunk, start));
      return end;
    }
    this.#headerFill += chunk.copy(this.#header, this.#headerFill, start, end);
    if (this.#headerFill === tarBlockBytes) {
      this.#headerFill = 0;
      this.#begin(readTarHeader(this.#header, 0));
    }
    return Math.min(end, chunk.byteLength);
  }

  #begin(header: TarHeader | undefined): void {
    if (header === undefined) {
      this.#zeroBlocks += 1;
      return;
    }
    if (this.#zeroBlocks >= 2) {
      throw corruptArchive('it goes on behind its end marker');
    }
    this.#zeroBlocks = 0;
    const { type, size } = header;
    switch (type) {
      case 'x':
      case 'L':
        if (!(size <= mostExtensionBytes)) {
          throw corruptArchive(
            `the extension of a header is larger than ${mostExtensionBytes} bytes`,
          );
        }
        this.#content = { type, size, parts: [], bytesLeft: size };
        break;
      case 'g':
      case 'K':
        this.#skip(checkedSize(size));
        break;
      default:
        this.#beginEntry(header);
    }
  }

  #beginEntry(header: TarHeader): void {
    const entry = entryOf(header, this.#longName, this.#records);
    this.#longName = undefined;
    this.#records = undefined;
    const as = this.#want(entry);
    if (entry.type === 'directory') {
      // Whatever size it says: nothing is behind it.
      return;
    }
    const size = checkedSize(entry.size);
    if (as === undefined) {
      this.#skip(size);
    } else {
      this.#content = { as, type: header.type, size, parts: [], bytesLeft: size };
    }
  }

  #skip(size: number): void {
    this.#bytesToSkip = Math.ceil(size / tarBlockBytes) * tarBlockBytes;
  }

  *#endContent({ as, type, size, parts }: OpenContent<T>): Generator<TarContent<T>> {
    this.#content = undefined;
    this.#bytesToSkip = (tarBlockBytes - (size % tarBlockBytes)) % tarBlockBytes;
    const [only] = parts;
    const bytes = only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
    if (as !== undefined) {
      yield { as, bytes };
    } else if (type === 'x') {
      this.#records = paxRecords(bytes);
    } else {
      const end = bytes.indexOf(0);
      this.#longName = bytes.toString('utf8', 0, end < 0 ? size : end);
    }
  }
}

function checkedSize(size: number): number {
  if (!Number.isSafeInteger(size)) {
    throw corruptArchive('the size in a header is not one');
  }
  return size;
}

function takeContent(content: OpenContent<object>, chunk: Buffer, start: number): number {
  const part = chunk.subarray(start, start + content.bytesLeft);
  content.parts.push(part);
  content.bytesLeft -= part.byteLength;
  return start + part.byteLength;
}

function entryOf(
  header: TarHeader,
  longName: string | undefined,
  records: ReadonlyMap<string, string> | undefined,
): TarEntry {
  const name = records?.get('path') || (longName ?? header.name);
  const size = sizeOf(records?.get('size')) ?? header.size;
  switch (header.type) {
    case '0':
      // As tars before POSIX mark a directory.
      return { name, type: name.endsWith('/') ? 'directory' : 'file', size };
    case '5':
      return { name, type: 'directory', size };
    default:
      return { name, type: 'other', size };
  }
}

function sizeOf(digits: string | undefined): number | undefined {
  if (digits === undefined || digits === '') {
    return undefined;
  }
  return /^[0-9]{1,15}$/.test(digits) ? Number(digits) : Number.NaN;
}
