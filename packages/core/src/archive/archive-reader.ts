import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { isLifeboatError, messageOf } from '../errors.ts';
import { AbortScope } from '../internal/abort-scope.ts';
import { excerptOf } from '../internal/excerpt.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import { ArchiveGuard, type ArchiveLimits, corruptArchive } from './archive-guard.ts';
import { entryBytes } from './entry-bytes.ts';
import { objectNameOf, parseEntryFolder, preferredSuffix } from './entry-path.ts';
import { IdentifierList } from './identifier-list.ts';

/** Options of {@link readArchive}. */
export interface ReadArchiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Which objects are read; the others are passed over without being held. @default all */
  readonly select?: ((entry: ResourceIdentifier) => boolean) | undefined;
  /**
   * Which of the copies are read too that hold an object in a version that was not the preferred one (velero: feature
   * EnableAPIGroupVersions). @default none
   */
  readonly selectVersion?: ((entry: ResourceIdentifier, version: string) => boolean) | undefined;
  /** Size of one file. @default 16777216 */
  readonly maximumEntryBytes?: number | undefined;
  /** Files and directories: a million objects in two copies. @default 2000000 */
  readonly maximumEntries?: number | undefined;
  /** Characters in the paths of all objects, which are held to know the second of a kind. @default 268435456 */
  readonly maximumPathCharacters?: number | undefined;
  /** Size of the archive when it is unpacked. @default 1099511627776 */
  readonly maximumTotalBytes?: number | undefined;
  /** Unpacked bytes per packed byte, judged from the first 64 MiB on. @default 500 */
  readonly maximumRatio?: number | undefined;
}

/** An object as an archive holds it. */
export interface ArchiveObject {
  readonly entry: ResourceIdentifier;
  /** Of a copy in a version that was not the preferred one: that version. Whether the text is of it has not been looked at. */
  readonly version?: string | undefined;
  /** The JSON text; whether it is JSON has not been looked at. */
  readonly bytes: Uint8Array;
}

const mebibyte = 1024 ** 2;
// Each chunk is a job of another thread, and a turn of the event loop.
const unpackedChunkBytes = 128 * 1024;

/**
 * Reads the objects of an archive in the order they stand there, one at a time: the unversioned copies, as a restore does, and those
 * of other versions that are asked for. Second copies of the preferred version, directories and files outside the layout are passed over.
 *
 * - The archive may come from anybody. Links, devices, paths that leave the archive or that no object can have, an object that
 *   occurs twice, broken compression, a cut or continued archive, and anything beyond the limits reject with CorruptBackup. That
 *   can be after objects have been yielded: only a loop that ends has seen a sound archive.
 * - An error of the source is passed on as it is. An abort rejects with `signal.reason`.
 * - Memory holds one object, and the name of each object, as bytes, to know the second of its kind.
 * - Leaving the loop closes the source.
 *
 * @throws {LifeboatError} code CorruptBackup.
 */
export async function* readArchive(
  source: AsyncIterable<Uint8Array>,
  options: ReadArchiveOptions = {},
): AsyncGenerator<ArchiveObject> {
  const { signal, select = () => true, selectVersion = () => false } = options;
  signal?.throwIfAborted();
  using scope = new AbortScope(signal);
  const input = new WatchedSource(source);
  const gunzip = createGunzip({ chunkSize: unpackedChunkBytes });
  const guard = new ArchiveGuard(limitsOf(options), () => input.sizeBytes);
  const tar = extract();
  const reading = pipeline(input, gunzip, guard, tar, { signal: scope.signal });
  // The error also ends the loop over the entries; here it only must not go unhandled.
  reading.catch(() => undefined);
  const acceptance = new EntryAcceptance(options);
  try {
    for await (const tarEntry of tar) {
      const located = acceptance.accept(tarEntry.header);
      const isWanted =
        located !== undefined &&
        (located.version === undefined
          ? select(located.entry)
          : selectVersion(located.entry, located.version));
      if (isWanted) {
        yield { ...located, bytes: await entryBytes(tarEntry) };
      } else {
        tarEntry.resume();
      }
    }
    await reading;
    if (gunzip.bytesWritten !== input.sizeBytes) {
      throw corruptArchive('something follows its compressed data');
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw input.failed ? input.failure : asCorruption(error);
  } finally {
    scope.abort(new Error('the reader has stopped'));
    await reading.catch(() => undefined);
  }
}

function limitsOf({
  maximumTotalBytes = mebibyte * mebibyte,
  maximumRatio = 500,
}: ReadArchiveOptions): ArchiveLimits {
  return { maximumTotalBytes, maximumRatio };
}

function asCorruption(error: unknown): unknown {
  return isLifeboatError(error) ? error : corruptArchive(messageOf(error), error);
}

/** Counts what the compressed stream gave, and remembers its error, which is not one of the archive. */
class WatchedSource implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  sizeBytes = 0;
  failed = false;
  failure: unknown;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#source) {
        this.sizeBytes += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      this.failed = true;
      this.failure = error;
      throw error;
    }
  }
}

// No name in Kubernetes has `%`, and hardly one NUL: they are there to be read as something else, `%2e%2e` or what is before a NUL.
const impossibleInPath: RegExp = /[%\0]/;

type LocatedObject = Pick<ArchiveObject, 'entry' | 'version'>;

/** Decides about each entry by its header: an object, something to pass over, or an attack. */
class EntryAcceptance {
  readonly #maximumEntryBytes: number;
  readonly #maximumEntries: number;
  readonly #maximumPathCharacters: number;
  /** What was seen; a copy of another version as if it were of another resource. */
  readonly #seen = new IdentifierList();
  /** What the paths of its folders say. */
  readonly #folders = new Map<string, NonNullable<ReturnType<typeof parseEntryFolder>>>();
  /** The one of which the last copy was that is passed over. */
  #passedFolder: string | undefined;
  #entries = 0;
  #pathCharacters = 0;

  constructor({
    maximumEntryBytes = 16 * mebibyte,
    maximumEntries = 2_000_000,
    maximumPathCharacters = 256 * mebibyte,
  }: ReadArchiveOptions) {
    this.#maximumEntryBytes = maximumEntryBytes;
    this.#maximumEntries = maximumEntries;
    this.#maximumPathCharacters = maximumPathCharacters;
  }

  /** The object that the entry holds; `undefined` when it is to be passed over. */
  accept({ name, type, size }: Header): LocatedObject | undefined {
    this.#entries += 1;
    if (this.#entries > this.#maximumEntries) {
      throw corruptArchive(
        `it holds more than ${this.#maximumEntries} files and directories, of which a restore reads more only with maximumArchiveEntries`,
      );
    }
    const path = name.startsWith('./') ? name.replace(/^(?:\.\/)+/, '') : name;
    if (path.startsWith('/') || (path.includes('..') && path.split('/').includes('..'))) {
      throw corruptArchive(`the path ${excerptOf(name)} leaves the archive`);
    }
    if (impossibleInPath.test(path)) {
      throw corruptArchive(`the path ${excerptOf(name)} cannot be that of an object`);
    }
    if (type !== 'file' && type !== 'directory') {
      throw corruptArchive(`${excerptOf(name)} is neither a file nor a directory`);
    }
    if (!Number.isSafeInteger(size) || size < 0 || size > this.#maximumEntryBytes) {
      throw corruptArchive(
        `the size of ${excerptOf(name)} is not one, or larger than ${this.#maximumEntryBytes} bytes`,
      );
    }
    return type === 'file' ? this.#objectAt(path) : undefined;
  }

  #objectAt(path: string): LocatedObject | undefined {
    const nameStart = path.lastIndexOf('/') + 1;
    const folderPath = path.slice(0, nameStart);
    // The preferred version is the same text as the unversioned copy, which mostly stands before it.
    if (folderPath === this.#passedFolder) {
      return undefined;
    }
    const known = this.#folders.get(folderPath);
    const folder = known ?? parseEntryFolder(folderPath);
    if (folder?.versionDirectory?.endsWith(preferredSuffix) === true) {
      this.#passedFolder = folderPath;
      return undefined;
    }
    const name = objectNameOf(path.slice(nameStart));
    if (folder === undefined || name === undefined) {
      return undefined;
    }
    this.#pathCharacters += path.length;
    if (this.#pathCharacters > this.#maximumPathCharacters) {
      throw corruptArchive(
        `the paths of its objects have more than ${this.#maximumPathCharacters} characters together`,
      );
    }
    if (known === undefined) {
      this.#folders.set(folderPath, folder);
    }
    const { groupResource, namespace, versionDirectory: version } = folder;
    const seenAs = version === undefined ? groupResource : `${groupResource}/${version}`;
    const position = this.#seen.addNew({ groupResource: seenAs, namespace, name });
    if (position === undefined) {
      throw corruptArchive(`it holds ${excerptOf(path)} twice`);
    }
    const entry = this.#seen.at(position);
    return version === undefined ? { entry } : { entry: { ...entry, groupResource }, version };
  }
}
