import { constants } from 'node:fs';
import { open, rmdir, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ObjectStoreError } from '../errors.ts';
import type {
  ByteRange,
  CallOptions,
  GetOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
} from '../ports/object-store.ts';
import { asObjectStoreError, systemCodeOf } from './file-system-error.ts';
import { assertValidKey, assertValidPrefix } from './key-rules.ts';
import { type FoundPath, ObjectFolders } from './object-folders.ts';
import { PendingFile, removeStaleFiles } from './pending-file.ts';
import { resolveRange } from './resolve-range.ts';
import { sizedBody } from './sized-body.ts';
import { alreadyExistsError, closedError, notFoundError } from './store-errors.ts';
import { walkObjects, walkPrefixes } from './walk-objects.ts';

/** Options of {@link FileSystemObjectStore}. */
export interface FileSystemObjectStoreOptions {
  /** Where the objects are kept; made, for its owner alone, by the first `put`. */
  readonly directory: string;
}

const uploadsFolder = '.lifeboat-uploads';
const staleAfterMs = 24 * 3_600_000;
const chunkBytes = 128 * 1024;
const folderAttempts = 10;

/**
 * An object store in a directory of the file system: a key is a path below it. Several processes may share the directory.
 *
 * - A finished `put` survives a crash of the machine: file and folder are flushed. Files have mode 0600, folders 0700.
 * - What is being written stands in `.lifeboat-uploads/`, which no key may name. What a crash leaves there is removed a day
 *   later by the next store that writes; it may be deleted at any time when nothing writes.
 * - Symbolic links below the directory are never followed. Content types are not kept.
 * - `ifAbsent` needs a file system with hard links. A component of a key has at most 255 bytes on most file systems.
 */
export class FileSystemObjectStore implements ObjectStore {
  readonly location: string;
  readonly capabilities: ObjectStoreCapabilities = { ifAbsent: true };
  readonly #uploads: string;
  readonly #folders: ObjectFolders;
  #cleaned: Promise<void> | undefined;
  #closed = false;

  constructor({ directory }: FileSystemObjectStoreOptions) {
    const root = resolve(directory);
    this.location = `${pathToFileURL(root).href}/`;
    this.#uploads = join(root, uploadsFolder);
    this.#folders = new ObjectFolders(root);
  }

  async put(
    key: string,
    body: ObjectBody,
    { ifAbsent = false, sizeBytes, signal }: PutOptions = {},
  ): Promise<void> {
    const components = this.#enter('ObjectStore.put', key, signal);
    if (ifAbsent && (await this.#find('ObjectStore.put', key)) !== undefined) {
      throw alreadyExistsError(this.location, key);
    }
    await using file = await this.#attempt('ObjectStore.put', key, () => this.#startUpload());
    await file.write(sizedBody(body, sizeBytes, key), key, signal);
    signal?.throwIfAborted();
    await this.#attempt('ObjectStore.put', key, async () => {
      await file.sync();
      await this.#publish(file, components, ifAbsent);
    });
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    this.#enter('ObjectStore.get', key, signal);
    const found = await this.#find('ObjectStore.get', key);
    if (found === undefined) {
      throw notFoundError('ObjectStore.get', this.location, key);
    }
    resolveRange(range, found.stats.size, key);
    return this.#read(found.path, key, range, signal);
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<ObjectStat | undefined> {
    this.#enter('ObjectStore.stat', key, signal);
    const found = await this.#find('ObjectStore.stat', key);
    return found && { key, sizeBytes: found.stats.size, lastModified: found.stats.mtime };
  }

  list(prefix: string, { signal }: CallOptions = {}): AsyncIterable<ObjectStat> {
    return this.#walk('ObjectStore.list', prefix, signal, walkObjects);
  }

  listPrefixes(prefix: string, { signal }: CallOptions = {}): AsyncIterable<string> {
    return this.#walk('ObjectStore.listPrefixes', prefix, signal, walkPrefixes);
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    const components = this.#enter('ObjectStore.delete', key, signal);
    const found = await this.#find('ObjectStore.delete', key);
    if (found === undefined) {
      return;
    }
    await this.#attempt('ObjectStore.delete', key, async () => {
      try {
        await unlink(found.path);
      } catch (error) {
        if (systemCodeOf(error) !== 'ENOENT') {
          throw error;
        }
      }
      await this.#folders.prune(components);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Stays when another store is writing, or a crash has left something.
    await rmdir(this.#uploads).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #startUpload(): Promise<PendingFile> {
    const file = await againWhenGone(async () => {
      await this.#folders.make([uploadsFolder]);
      return PendingFile.create(this.#uploads);
    });
    this.#cleaned ??= removeStaleFiles(this.#uploads, new Date(Date.now() - staleAfterMs));
    await this.#cleaned;
    return file;
  }

  async #publish(
    file: PendingFile,
    components: readonly string[],
    ifAbsent: boolean,
  ): Promise<void> {
    try {
      await againWhenGone(async () => {
        await file.publish(await this.#folders.make(components), { replace: !ifAbsent });
      });
    } catch (error) {
      throw systemCodeOf(error) === 'EEXIST'
        ? alreadyExistsError(this.location, components.join('/'))
        : error;
    }
  }

  async *#read(
    path: string,
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    this.#enter('ObjectStore.get', key, signal);
    const file = await this.#attempt('ObjectStore.get', key, () =>
      open(path, constants.O_RDONLY | constants.O_NOFOLLOW),
    );
    try {
      const { size } = await file.stat();
      const { start, end } = resolveRange(range, size, key);
      for (let position = start; position < end; ) {
        signal?.throwIfAborted();
        const length = Math.min(chunkBytes, end - position);
        const { bytesRead, buffer } = await this.#attempt('ObjectStore.get', key, () =>
          file.read(Buffer.allocUnsafe(length), 0, length, position),
        );
        if (bytesRead === 0) {
          return;
        }
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async *#walk<T>(
    operation: string,
    prefix: string,
    signal: AbortSignal | undefined,
    walk: (folder: string, prefix: string, hiddenPath: string) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    signal?.throwIfAborted();
    this.#assertOpen(operation);
    assertValidPrefix(prefix, operation);
    const components = prefix.split('/').slice(0, -1);
    assertNotReserved(components, operation, prefix);
    try {
      const found = await this.#folders.find(components);
      if (!found?.stats.isDirectory()) {
        return;
      }
      for await (const item of walk(found.path, prefix, this.#uploads)) {
        signal?.throwIfAborted();
        this.#assertOpen(operation);
        yield item;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw asObjectStoreError(error, operation, prefix);
    }
  }

  async #find(operation: string, key: string): Promise<FoundPath | undefined> {
    const found = await this.#attempt(operation, key, () => this.#folders.find(key.split('/')));
    return found?.stats.isFile() ? found : undefined;
  }

  /** Checks what every call checks first, and returns the components of the key. */
  #enter(operation: string, key: string, signal: AbortSignal | undefined): readonly string[] {
    signal?.throwIfAborted();
    this.#assertOpen(operation);
    assertValidKey(key, operation);
    const components = key.split('/');
    assertNotReserved(components, operation, key);
    return components;
  }

  #assertOpen(operation: string): void {
    if (this.#closed) {
      throw closedError(operation, this.location);
    }
  }

  async #attempt<T>(operation: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asObjectStoreError(error, operation, key);
    }
  }
}

/** A delete or close beside us may remove the folder that work has just made, because it is still empty. */
async function againWhenGone<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT' || attempt === folderAttempts) {
        throw error;
      }
    }
  }
}

function assertNotReserved(components: readonly string[], operation: string, target: string): void {
  if (components[0] === uploadsFolder) {
    throw new ObjectStoreError(`${operation}: ${uploadsFolder}/ is kept for uploads under way`, {
      code: 'InvalidConfig',
      operation,
      target,
    });
  }
}
