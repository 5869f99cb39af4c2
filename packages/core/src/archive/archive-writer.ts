import { LifeboatError } from '../errors.ts';
import { AbortScope } from '../internal/abort-scope.ts';
import { stringifyJson } from '../model/json.ts';
import {
  type GroupVersionResource,
  type KubernetesObject,
  type ObjectReference,
  referenceTo,
} from '../model/kubernetes.ts';
import type { ArchiveMember, IndexedObject } from './archive-index.ts';
import { writableEntryPathsOf } from './entry-path.ts';
import { GzipMembers } from './gzip-members.ts';
import { MeasuredBody } from './measured-body.ts';
import { type GroupPlace, TarGroups } from './tar-groups.ts';

const formatVersion = '1.1.0';

/** Takes the objects of an archive. */
export interface ArchiveWriter {
  /**
   * Writes an object, both copies side by side, and resolves when the stream has taken it. Calls may overlap; each object is
   * written whole before the next.
   *
   * @throws {LifeboatError} code Unsupported when its name cannot stand in an archive; nothing of it is written then. Code
   * Closed when the producer has already returned.
   */
  writeObject(resource: GroupVersionResource, object: KubernetesObject): Promise<void>;
}

/** Options of {@link writeArchive}. */
export interface WriteArchiveOptions {
  /** The time that every entry carries: equal input and time give equal bytes. */
  readonly modifiedAt: Date;
  /** Told of each object, in the order of the archive, when its place there is known. @default nobody is */
  readonly onPlace?: ((object: IndexedObject) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link writeArchive} wrote. */
export interface WrittenArchive<T> {
  /** What the producer returned. */
  readonly result: T;
  /** Files in the archive: one, and two for each object. */
  readonly entries: number;
  /** Compressed. */
  readonly sizeBytes: number;
  /** Of the compressed bytes, in hexadecimal. */
  readonly sha256: string;
  /** Its gzip members. */
  readonly members: readonly ArchiveMember[];
}

/**
 * Streams a gzipped tar in Velero's layout from a producer of objects to a sink, such as `ObjectStore.put`. Memory is
 * bounded by the buffers between the two.
 *
 * - When the sink or the producer fails, the other one is aborted, both are awaited, and the first error is thrown.
 * - Aborted: the entry in hand is finished, the sink gets the abort so that it can undo, then it rejects with `signal.reason`.
 * - A sink that returns before it has read everything is a failure.
 */
export async function writeArchive<T>(
  sink: (body: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>,
  produce: (archive: ArchiveWriter, signal: AbortSignal) => Promise<T>,
  { modifiedAt, onPlace, signal }: WriteArchiveOptions,
): Promise<WrittenArchive<T>> {
  signal?.throwIfAborted();
  using scope = new AbortScope(signal);
  const members = new GzipMembers();
  const tar = new TarGroups(members, modifiedAt);
  const objects = new ObjectWriter(tar, onPlace, scope.signal);
  const body = new MeasuredBody(members);
  scope.signal.addEventListener('abort', () => members.destroy(scope.signal.reason));

  const fail = (error: unknown): void => {
    scope.abort(error);
  };
  const production = runProducer(objects, produce, scope.signal);
  await Promise.all([
    production.then(() => tar.end()).catch(fail),
    runSink(sink, body, scope.signal).catch(fail),
  ]);
  scope.signal.throwIfAborted();
  return {
    result: await production,
    entries: objects.entries,
    sizeBytes: body.sizeBytes,
    sha256: body.sha256,
    members: members.members,
  };
}

async function runProducer<T>(
  objects: ObjectWriter,
  produce: (archive: ArchiveWriter, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    await objects.writeFiles(['metadata/version'], () => `${formatVersion}\n`);
    return await produce(objects, signal);
  } finally {
    await objects.close();
  }
}

async function runSink(
  sink: (body: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>,
  body: MeasuredBody,
  signal: AbortSignal,
): Promise<void> {
  await sink(body, signal);
  if (!body.complete) {
    throw new LifeboatError('write archive: the store stopped reading before the end', {
      code: 'Unknown',
      operation: 'write archive',
    });
  }
}

/** Lets writers wait for room. */
class ObjectWriter implements ArchiveWriter {
  readonly #tar: TarGroups;
  readonly #onPlace: ((object: IndexedObject) => void) | undefined;
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<Promise<void>>();
  #closed = false;
  #entries = 0;

  constructor(
    tar: TarGroups,
    onPlace: ((object: IndexedObject) => void) | undefined,
    signal: AbortSignal,
  ) {
    this.#tar = tar;
    this.#onPlace = onPlace;
    this.#signal = signal;
  }

  get entries(): number {
    return this.#entries;
  }

  async writeObject(resource: GroupVersionResource, object: KubernetesObject): Promise<void> {
    const reference = referenceTo(resource, object);
    await this.writeFiles(
      writableEntryPathsOf(reference),
      () => stringifyJson(object),
      this.#placing(reference),
    );
  }

  // Apart, since a function holds all that those around it hold: the object would stay until its place is known.
  #placing(reference: ObjectReference): (place: GroupPlace) => void {
    const { group, version, resource, namespace, name } = reference;
    return (place) => this.#onPlace?.({ group, version, resource, namespace, name, ...place });
  }

  /** Writes files of the same content when there is room. */
  async writeFiles(
    paths: readonly string[],
    contentOf: () => string,
    onPlace: (place: GroupPlace) => void = () => undefined,
  ): Promise<void> {
    if (this.#closed) {
      throw new LifeboatError('write archive: the producer has returned, the archive is closed', {
        code: 'Closed',
        operation: 'write archive',
      });
    }
    const write = (): void => {
      this.#signal.throwIfAborted();
      this.#tar.append(paths, contentOf(), onPlace);
      this.#entries += paths.length;
    };
    if (this.#tar.hasRoom) {
      write();
    } else {
      await this.#whenRoom(write);
    }
  }

  async #whenRoom(write: () => void): Promise<void> {
    const written = this.#tar.room().then(write);
    this.#waiting.add(written);
    await written.finally(() => this.#waiting.delete(written));
  }

  /** Waits for the writes that were asked for; later ones are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#waiting);
  }
}
