import type { ArchiveIndex } from '../archive/archive-index.ts';
import { type ArchiveObject, readArchive } from '../archive/archive-reader.ts';
import { parseArchivedObject } from '../archive/archived-object.ts';
import { readIndexedObject } from '../archive/read-indexed-object.ts';
import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import {
  groupResourceOf,
  type KubernetesObject,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupExists, openArchive, readArchiveIndex } from './backup-files.ts';
import { backupKey } from './key-layout.ts';

/** What {@link listStoredObjects} and {@link readStoredObject} read from. */
export interface StoredObjectsSource {
  readonly store: ObjectStore;
  readonly backupName: string;
  readonly logger: Logger;
}

/** Lists the objects of a backup's archive, by its index if it has one, else by reading the archive. */
export async function* listStoredObjects(
  source: StoredObjectsSource,
  { signal }: CallOptions,
): AsyncIterable<ResourceIdentifier> {
  const index = await usableIndex(source, signal);
  if (index !== undefined) {
    for (const object of index.objects) {
      yield identifierOfIndexed(object);
    }
    return;
  }
  const select = (): boolean => true;
  for await (const { entry } of archiveOf(source, select, signal)) {
    yield entry;
  }
}

/**
 * Reads one object of a backup's archive: by one request for a part of it if the archive has an index, else by reading the
 * archive up to the object.
 *
 * @throws {LifeboatError} code CorruptBackup when the archive is damaged, or holds something else in the object's place.
 */
export async function readStoredObject(
  source: StoredObjectsSource,
  wanted: ResourceIdentifier,
  { signal }: CallOptions,
): Promise<KubernetesObject | undefined> {
  const { store, backupName } = source;
  const index = await usableIndex(source, signal);
  if (index === undefined) {
    const select = (entry: ResourceIdentifier): boolean => isSame(entry, wanted);
    for await (const { bytes } of archiveOf(source, select, signal)) {
      return parsed(source, wanted, bytes);
    }
    return undefined;
  }
  const place = index.objects.find((object) => isSame(identifierOfIndexed(object), wanted));
  const key = backupKey(backupName, 'archive');
  const bytes =
    place && (await readIndexedObject(index, place, (range) => store.get(key, { range, signal })));
  return bytes && parsed(source, wanted, bytes);
}

function parsed(
  { backupName }: StoredObjectsSource,
  entry: ResourceIdentifier,
  bytes: Uint8Array,
): KubernetesObject {
  const { object, problem } = parseArchivedObject(entry, bytes);
  if (object === undefined) {
    throw new LifeboatError(
      `${entry.groupResource} ${entry.name} of backup ${backupName} cannot be read: ${problem}`,
      { code: 'CorruptBackup', operation: 'catalog.getObject', target: backupName },
    );
  }
  return object;
}

/** The index; `undefined` when there is none, or none that is of use: everything it says is in the archive too. */
async function usableIndex(
  { store, backupName, logger }: StoredObjectsSource,
  signal: AbortSignal | undefined,
): Promise<ArchiveIndex | undefined> {
  if (!(await backupExists(store, backupName, { signal }))) {
    throw new LifeboatError(`there is no backup ${backupName} in ${store.location}`, {
      code: 'NotFound',
      operation: 'catalog',
      target: backupName,
    });
  }
  try {
    return await readArchiveIndex(store, backupName, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'CorruptBackup')) {
      throw error;
    }
    logger.warn('the index of a backup is of no use, so its archive is read whole', {
      backup: backupName,
      error: messageOf(error),
    });
    return undefined;
  }
}

async function* archiveOf(
  { store, backupName }: StoredObjectsSource,
  select: (entry: ResourceIdentifier) => boolean,
  signal: AbortSignal | undefined,
): AsyncIterable<ArchiveObject> {
  const body = await openArchive(store, backupName, { signal });
  yield* readArchive(body, { select, signal });
}

function identifierOfIndexed(object: ArchiveIndex['objects'][number]): ResourceIdentifier {
  const { namespace, name } = object;
  const groupResource = groupResourceOf(object);
  return namespace === undefined ? { groupResource, name } : { groupResource, namespace, name };
}

function isSame(left: ResourceIdentifier, right: ResourceIdentifier): boolean {
  return (
    left.name === right.name &&
    left.namespace === right.namespace &&
    left.groupResource === right.groupResource
  );
}
