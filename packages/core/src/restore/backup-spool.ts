import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  constants,
  type ZstdOptions,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import { LifeboatError, type LifeboatErrorCode, messageOf } from '../errors.ts';
import { freeBytes } from '../internal/free-bytes.ts';
import { RecordPlaces } from './record-places.ts';

/** A record of a spool, by the order in which they were added: a position of its own for each of some ten thousand would be as much as its name. */
export type SpoolRecord = number;

/** A block that was unpacked. */
interface RecentBlock {
  readonly index: number;
  readonly unpacked: Promise<Bytes>;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Where a block lies in the file, and how long it is when it is unpacked. */
interface SpoolBlock {
  readonly offset: number;
  readonly packedBytes: number;
  readonly bytes: number;
}

/** Options of {@link BackupSpool.open}. */
export interface BackupSpoolOptions {
  /** @default the temporary folder of the machine */
  readonly directory?: string | undefined;
}

const decompress: (bytes: Uint8Array, options: ZstdOptions) => Promise<Buffer<ArrayBuffer>> =
  promisify(zstdDecompress);
// Records that lie together are mostly read together: what a read, a write and a compression cost of their own is shared by some hundred.
const blockBytes = 256 * 1024;
// Objects repeat their keys, and a level below 1, which looks for repetitions alone, takes away most of what level 1 does in half of the time,
// both ways. No other process ever reads the file, so that nothing depends on the format, nor on Node.js still calling these functions
// experimental: where they went, deflate would do.
const compression: ZstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: -3 } };
// A block so small is there sooner than another thread would have been asked for it.
const unpackedAtOnceBytes = 1024 * 1024;
// A few resources are read at a time, each in the order of its names, which is mostly the one in which they were written.
const keptBlocks = 6;

/**
 * Records of bytes in one temporary file, written once one after another and then read in any order, best in the one in which they
 * were written.
 *
 * - The file is private to the user, and has no name any more once it is open: nothing is left behind, even by a crash.
 * - Memory holds the position of each record, outside of the heap, and the few blocks of records that were used last.
 */
export class BackupSpool implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #directory: string;
  readonly #blocks: SpoolBlock[] = [];
  readonly #places = new RecordPlaces();
  /** In the order in which they were used last. */
  readonly #recent: RecentBlock[] = [];
  readonly #open: Buffer = Buffer.allocUnsafeSlow(blockBytes);
  #openBytes = 0;
  #writtenBytes = 0;
  #closed = false;

  private constructor(file: FileHandle, directory: string) {
    this.#file = file;
    this.#directory = directory;
  }

  /**
   * Opens an empty spool.
   *
   * @throws {LifeboatError} code InvalidConfig when there can be no file in the folder.
   */
  static async open({ directory = tmpdir() }: BackupSpoolOptions = {}): Promise<BackupSpool> {
    try {
      return new BackupSpool(await openUnnamed(directory), directory);
    } catch (error) {
      throw spoolError('InvalidConfig', directory, error);
    }
  }

  /**
   * Adds a record. It can be read after the next {@link BackupSpool.flush}.
   *
   * @throws {LifeboatError} as {@link BackupSpool.flush} does.
   */
  async append(bytes: Uint8Array): Promise<SpoolRecord> {
    if (this.#openBytes + bytes.byteLength > blockBytes) {
      await this.flush();
    }
    const block = this.#blocks.length;
    const length = bytes.byteLength;
    if (length > blockBytes) {
      await this.#write(bytes);
      return this.#places.add({ block, offset: 0, length });
    }
    const offset = this.#openBytes;
    this.#open.set(bytes, offset);
    this.#openBytes += length;
    return this.#places.add({ block, offset, length });
  }

  /**
   * Writes what is still in memory.
   *
   * @throws {LifeboatError} code Unavailable when the file cannot be written, as when the disk is full.
   */
  async flush(): Promise<void> {
    const block = this.#open.subarray(0, this.#openBytes);
    this.#openBytes = 0;
    if (block.byteLength > 0) {
      await this.#write(block);
    }
  }

  async #write(block: Uint8Array): Promise<void> {
    const packed = zstdCompressSync(block, compression);
    const offset = this.#writtenBytes;
    this.#writtenBytes += packed.byteLength;
    this.#blocks.push({ offset, packedBytes: packed.byteLength, bytes: block.byteLength });
    try {
      let done = 0;
      while (done < packed.byteLength) {
        const left = packed.byteLength - done;
        const { bytesWritten } = await this.#file.write(packed, done, left, offset + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw spoolError('Unavailable', this.#directory, error);
    }
  }

  /**
   * Reads a record: what is made of its bytes, which are only there until the call returns and are not to be changed. Calls may run
   * concurrently.
   */
  async read<T>(record: SpoolRecord, make: (bytes: Uint8Array) => T): Promise<T> {
    const { block, offset, length } = this.#places.get(record);
    const isAlone = length > blockBytes;
    const unpacked = isAlone ? this.#unpack(block) : this.#unpackedOf(block);
    try {
      return make((await unpacked).subarray(offset, offset + length));
    } finally {
      if (isAlone) {
        free(unpacked);
      }
    }
  }

  /** A block, unpacked unless it is one of those that were used last. */
  #unpackedOf(index: number): Promise<Bytes> {
    const place = this.#recent.findLastIndex((recent) => recent.index === index);
    // An array, of which mostly the last one is used: a Map that is written at each read leaves tables behind that keep old blocks alive.
    const [known] = place < 0 ? [] : this.#recent.splice(place, 1);
    const recent = known ?? { index, unpacked: this.#unpack(index) };
    if (known === undefined) {
      // Whoever asks again tries again.
      recent.unpacked.catch(() => this.#forget(recent));
    }
    this.#recent.push(recent);
    const [oldest] = this.#recent;
    if (oldest !== undefined && this.#recent.length > keptBlocks) {
      this.#recent.shift();
      free(oldest.unpacked);
    }
    return recent.unpacked;
  }

  #forget(recent: RecentBlock): void {
    const place = this.#recent.indexOf(recent);
    if (place >= 0) {
      this.#recent.splice(place, 1);
    }
  }

  async #unpack(index: number): Promise<Bytes> {
    const block = this.#blocks[index];
    if (block === undefined) {
      throw new RangeError(`the spool has no block ${index}: it was not flushed`);
    }
    const packed = Buffer.allocUnsafeSlow(block.packedBytes);
    let done = 0;
    while (done < packed.byteLength) {
      const left = packed.byteLength - done;
      const { bytesRead } = await this.#file.read(packed, done, left, block.offset + done);
      if (bytesRead === 0) {
        throw new RangeError(`the spool ends within its block ${index}`);
      }
      done += bytesRead;
    }
    // One buffer takes it all, with room to show that nothing follows.
    const options = { chunkSize: block.bytes + 64 };
    return block.bytes <= unpackedAtOnceBytes
      ? zstdDecompressSync(packed, options)
      : decompress(packed, options);
  }

  /** Frees the file. Repeated calls do nothing. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      await this.#file.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Frees a block behind those who have asked for it: what waits for a promise goes on in the order in which it began to. */
function free(unpacked: Promise<Bytes>): void {
  unpacked.then(freeBytes, () => undefined);
}

async function openUnnamed(directory: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(directory, 'lifeboat-'));
  try {
    return await open(join(folder, 'spool'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function spoolError(code: LifeboatErrorCode, directory: string, error: unknown): LifeboatError {
  return new LifeboatError(
    `restore: the temporary file in ${directory} cannot be written: ${messageOf(error)}. Make room, or name another folder as tempDirectory`,
    { code, operation: 'restore', target: directory, cause: error },
  );
}
