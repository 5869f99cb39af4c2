import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import { LifeboatError, type LifeboatErrorCode, messageOf } from '../errors.ts';

/** Where a record lies in a spool. */
export interface SpoolRecord {
  readonly offset: number;
  readonly length: number;
}

/** Options of {@link BackupSpool.open}. */
export interface BackupSpoolOptions {
  /** @default the temporary folder of the machine */
  readonly directory?: string | undefined;
}

const inflate: (bytes: Uint8Array) => Promise<Buffer> = promisify(inflateRaw);
const pendingBytesLimit = 256 * 1024;
// Objects repeat their keys: even the fastest level takes four fifths of them away.
const compressionLevel = 1;
// A record so small is there sooner than another thread would have been asked for it.
const inflatedAtOnceBytes = 16 * 1024;

/**
 * Records of bytes in one temporary file, written once one after another and then read in any order.
 *
 * - The file is private to the user, and has no name any more once it is open: nothing is left behind, even by a crash.
 * - Only the position of each record is held in memory.
 */
export class BackupSpool implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #directory: string;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
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
    const compressed = deflateRawSync(bytes, { level: compressionLevel });
    const record = {
      offset: this.#writtenBytes + this.#pendingBytes,
      length: compressed.byteLength,
    };
    this.#pending.push(compressed);
    this.#pendingBytes += compressed.byteLength;
    if (this.#pendingBytes >= pendingBytesLimit) {
      await this.flush();
    }
    return record;
  }

  /**
   * Writes what is still in memory.
   *
   * @throws {LifeboatError} code Unavailable when the file cannot be written, as when the disk is full.
   */
  async flush(): Promise<void> {
    try {
      await this.#writePending();
    } catch (error) {
      throw spoolError('Unavailable', this.#directory, error);
    }
  }

  async #writePending(): Promise<void> {
    const block = Buffer.concat(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    let done = 0;
    while (done < block.byteLength) {
      const { bytesWritten } = await this.#file.write(
        block,
        done,
        block.byteLength - done,
        this.#writtenBytes + done,
      );
      done += bytesWritten;
    }
    this.#writtenBytes += block.byteLength;
  }

  /** Reads a record. Calls may run concurrently. */
  async read({ offset, length }: SpoolRecord): Promise<Uint8Array> {
    const compressed = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#file.read(compressed, done, length - done, offset + done);
      if (bytesRead === 0) {
        throw new RangeError(`the spool has no record at ${offset}: it was not flushed`);
      }
      done += bytesRead;
    }
    return length <= inflatedAtOnceBytes ? inflateRawSync(compressed) : inflate(compressed);
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
