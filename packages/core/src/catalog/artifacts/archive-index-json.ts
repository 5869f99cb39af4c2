import type { ArchiveIndex, ArchiveMember, IndexedObject } from '../../archive/archive-index.ts';
import { entryPathsOf, parseEntryPath } from '../../archive/entry-path.ts';
import { LifeboatError } from '../../errors.ts';
import { isJsonArray, isJsonObject, type JsonArray, type JsonValue } from '../../model/json.ts';
import { groupResourceOf } from '../../model/kubernetes.ts';

/** The format of an index, as it says itself. */
export const archiveIndexFormatVersion = 1;
/** What a member may hold, compressed or not: the two copies of an object of the largest size, in a member that was almost full before. */
const maximumMemberBytes = 40 * 1024 * 1024;

/**
 * Reads a stored index, which has rows instead of objects, since there is one for each object of the backup:
 *
 * - `members`: offset in the archive, compressed size, decompressed size;
 * - `objects`: group, version, resource, namespace (empty for cluster-scoped), name, position of the member, offset in the
 *   decompressed member, length there, size of the JSON, its SHA-256 in base64.
 *
 * Anybody may have written it: whether it is true shows only when the archive is read by it.
 *
 * @throws {LifeboatError} code CorruptBackup when it is not an index, or one of a later format; when its members do not follow one
 * another, or one is larger than 40 MiB; or when an object lies outside its member, or has a name that cannot stand in an archive.
 */
export function decodeArchiveIndex(value: JsonValue, target: string): ArchiveIndex {
  if (
    !isJsonObject(value) ||
    value['formatVersion'] !== archiveIndexFormatVersion ||
    !isJsonArray(value['members']) ||
    !isJsonArray(value['objects'])
  ) {
    throw corruptIndex(target);
  }
  const members = value['members'].map((row) => memberOf(row) ?? fail(target));
  const objects = value['objects'].map((row) => objectOf(row) ?? fail(target));
  const areSound = objects.every((object) => liesInMember(object, members) && hasPath(object));
  if (!followOneAnother(members) || !areSound) {
    throw corruptIndex(target);
  }
  return { members, objects };
}

function followOneAnother(members: readonly ArchiveMember[]): boolean {
  let end = 0;
  return members.every(({ offset, sizeBytes, tarBytes }) => {
    const follows =
      offset === end &&
      sizeBytes > 0 &&
      sizeBytes <= maximumMemberBytes &&
      tarBytes <= maximumMemberBytes;
    end += sizeBytes;
    return follows;
  });
}

function liesInMember(object: IndexedObject, members: readonly ArchiveMember[]): boolean {
  const member = members[object.member];
  return (
    member !== undefined &&
    object.offset + object.tarBytes <= member.tarBytes &&
    object.sizeBytes <= object.tarBytes
  );
}

function memberOf(row: JsonValue): ArchiveMember | undefined {
  const [offset, sizeBytes, tarBytes] = rowOf(row);
  return isCount(offset) && isCount(sizeBytes) && isCount(tarBytes)
    ? { offset, sizeBytes, tarBytes }
    : undefined;
}

function objectOf(row: JsonValue): IndexedObject | undefined {
  const [group, version, resource, namespace, name, ...place] = rowOf(row);
  const [member, offset, tarBytes, sizeBytes, sha256] = place;
  return typeof group === 'string' &&
    typeof version === 'string' &&
    typeof resource === 'string' &&
    typeof namespace === 'string' &&
    typeof name === 'string' &&
    isCount(member) &&
    isCount(offset) &&
    isCount(tarBytes) &&
    isCount(sizeBytes) &&
    typeof sha256 === 'string'
    ? {
        ...{ group, version, resource, name, member, offset, tarBytes, sizeBytes, sha256 },
        ...(namespace !== '' && { namespace }),
      }
    : undefined;
}

function hasPath(object: IndexedObject): boolean {
  const parsed = parseEntryPath(entryPathsOf(object)[0]);
  return (
    parsed?.name === object.name &&
    parsed.namespace === object.namespace &&
    parsed.groupResource === groupResourceOf(object)
  );
}

function rowOf(row: JsonValue): JsonArray {
  return isJsonArray(row) ? row : [];
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function fail(target: string): never {
  throw corruptIndex(target);
}

function corruptIndex(target: string): LifeboatError {
  return new LifeboatError(
    `${target} is not an index of an archive that this version of Lifeboat can read; the archive itself is not touched by that`,
    { code: 'CorruptBackup', operation: 'catalog.read', target },
  );
}
