import { LifeboatError } from '../errors.ts';
import { AbortScope } from '../internal/abort-scope.ts';
import { stringifyJson } from '../model/json.ts';
import {
  type GroupVersionResource,
  type KubernetesObject,
  referenceTo,
} from '../model/kubernetes.ts';
import type { ArchiveIndex, IndexedObject } from './archive-index.ts';
import { writableEntryPathsOf } from './entry-path.ts';
import { type GroupPlace, GzipMembers } from './gzip-members.ts';
import { MeasuredBody } from './measured-body.ts';

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
  /** Where each object lies in it. */
  readonly index: ArchiveIndex;
}

/**
 * Streams a gzipped tar in Velero's layout from a producer of objects to a sink, such as `ObjectStore.put`. Memory is
 * bounded by the buffers between the two, but for the index, which grows with the number of objects.
 *
 * - When the sink or the producer fails, the other one is aborted, both are awaited, and the first error is thrown.
 * - Aborted: the entry in hand is finished, the sink gets the abort so that it can undo, then it rejects with `signal.reason`.
 * - A sink that returns before it has read everything is a failure.
 */
export async function writeArchive<T>(
  sink: (body: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>,
  produce: (archive: ArchiveWriter, signal: AbortSignal) => Promise<T>,
  { modifiedAt, signal }: WriteArchiveOptions,
): Promise<WrittenArchive<T>> {
  signal?.throwIfAborted();
  using scope = new AbortScope(signal);
  const members = new GzipMembers(modifiedAt);
  const objects = new ObjectWriter(members, scope.signal);
  const body = new MeasuredBody(members);
  scope.signal.addEventListener('abort', () => members.destroy(scope.signal.reason));

  const fail = (error: unknown): void => {
    scope.abort(error);
  };
  const production = runProducer(objects, produce, scope.signal);
  await Promise.all([
    production.then(() => members.end()).catch(fail),
    runSink(sink, body, scope.signal).catch(fail),
  ]);
  scope.signal.throwIfAborted();
  return {
    result: await production,
    entries: objects.entries,
    sizeBytes: body.sizeBytes,
    sha256: body.sha256,
    index: { members: members.members, objects: objects.index },
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
  readonly #members: GzipMembers;
  readonly #signal: AbortSignal;
  readonly #index: IndexedObject[] = [];
  readonly #waiting = new Set<Promise<void>>();
  #closed = false;
  #entries = 0;

  constructor(members: GzipMembers, signal: AbortSignal) {
    this.#members = members;
    this.#signal = signal;
  }

  get entries(): number {
    return this.#entries;
  }

  /** The objects that were written, in order. */
  get index(): readonly IndexedObject[] {
    return this.#index;
  }

  async writeObject(resource: GroupVersionResource, object: KubernetesObject): Promise<void> {
    const reference = referenceTo(resource, object);
    const { namespace, name } = reference;
    const paths = writableEntryPathsOf(reference);
    const { group, version, resource: plural } = resource;
    await this.writeFiles(
      paths,
      () => stringifyJson(object),
      (place) => {
        this.#index.push({ group, version, resource: plural, namespace, name, ...place });
      },
    );
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
      onPlace(this.#members.append(paths, contentOf()));
      this.#entries += paths.length;
    };
    if (this.#members.hasRoom) {
      write();
    } else {
      await this.#whenRoom(write);
    }
  }

  async #whenRoom(write: () => void): Promise<void> {
    const written = this.#members.room().then(write);
    this.#waiting.add(written);
    await written.finally(() => this.#waiting.delete(written));
  }

  /** Waits for the writes that were asked for; later ones are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#waiting);
  }
}
