import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { abortable } from '../internal/abortable.ts';
import type { ObjectBody } from '../ports/object-store.ts';
import { asObjectStoreError, systemCodeOf } from './file-system-error.ts';
import { makeFolder, syncFolder } from './object-folders.ts';

const fileMode = 0o600;

/** A file that is being written where no reader looks, and becomes visible whole or not at all. */
export class PendingFile implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens a new file in a folder, which is made if it is missing. */
  static async create(folder: string): Promise<PendingFile> {
    await makeFolder(folder);
    const path = join(folder, randomUUID());
    return new PendingFile(path, await open(path, 'wx', fileMode));
  }

  /** Writes the body. Its own error passes as it is; an abort rejects with `signal.reason`. */
  async write(body: ObjectBody, key: string, signal: AbortSignal | undefined): Promise<void> {
    if (body instanceof Uint8Array) {
      await this.#append(body, key);
      return;
    }
    for await (const chunk of abortable(body, signal)) {
      await this.#append(chunk, key);
    }
  }

  /** Makes the file survive a crash of the machine. */
  async sync(): Promise<void> {
    await this.#file.sync();
  }

  /** Moves the file to its place, in one step and durably. Without `replace` it rejects with EEXIST when the place is taken. */
  async publish(path: string, { replace }: { readonly replace: boolean }): Promise<void> {
    await (replace ? rename(this.#path, path) : link(this.#path, path));
    try {
      await syncFolder(dirname(path));
    } catch (error) {
      // Deleted again already, and its folder with it.
      if (systemCodeOf(error) !== 'ENOENT') {
        throw error;
      }
    }
  }

  /** Closes the file, and removes it from where it was written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }

  async #append(chunk: Uint8Array, key: string): Promise<void> {
    try {
      for (let offset = 0; offset < chunk.byteLength; ) {
        const { bytesWritten } = await this.#file.write(chunk, offset);
        offset += bytesWritten;
      }
    } catch (error) {
      throw asObjectStoreError(error, 'ObjectStore.put', key);
    }
  }
}

/** Removes the files in a folder that nobody has written to since a time: a crash has left them. */
export async function removeStaleFiles(folder: string, olderThan: Date): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      const { mtime } = await stat(path);
      if (mtime < olderThan) {
        await rm(path, { force: true });
      }
    } catch {
      // Its writer has just finished with it, or it belongs to somebody else.
    }
  }
}
