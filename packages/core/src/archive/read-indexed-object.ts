import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { isLifeboatError, messageOf } from '../errors.ts';
import { excerptOf } from '../internal/excerpt.ts';
import { readAll } from '../internal/read-all.ts';
import { corruptArchive } from './archive-guard.ts';
import type { ArchiveIndex, IndexedObject } from './archive-index.ts';
import { entryBytes } from './entry-bytes.ts';
import { entryPathsOf } from './entry-path.ts';

const decompress: (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer> =
  promisify(gunzip);

/**
 * Reads one object by the index of its archive: fetches and decompresses the one member that it is in, and returns its JSON.
 * Memory holds that member, compressed and not, and the object.
 *
 * @throws {LifeboatError} code CorruptBackup when what the index leads to is not that object, byte for byte.
 */
export async function readIndexedObject(
  { members }: ArchiveIndex,
  object: IndexedObject,
  fetch: (range: {
    readonly start: number;
    readonly end: number;
  }) => Promise<AsyncIterable<Uint8Array>>,
): Promise<Uint8Array> {
  const member = members[object.member];
  if (member === undefined) {
    throw corruptArchive(`its index names member ${object.member} of ${members.length}`);
  }
  const { offset, sizeBytes, tarBytes } = member;
  const body = await fetch({ start: offset, end: offset + sizeBytes - 1 });
  const compressed = await readAll(body, { maximumBytes: sizeBytes, target: 'archive' });
  const tar = await decompressed(compressed, tarBytes);
  const [path] = entryPathsOf(object);
  const bytes = await firstFile(tar.subarray(object.offset, object.offset + object.tarBytes), path);
  if (bytes.byteLength !== object.sizeBytes || hash('sha256', bytes, 'base64') !== object.sha256) {
    throw corruptArchive(`${excerptOf(path)} is not what its index says`);
  }
  return bytes;
}

async function decompressed(bytes: Uint8Array, tarBytes: number): Promise<Buffer> {
  try {
    return await decompress(bytes, { maxOutputLength: tarBytes });
  } catch (error) {
    throw corruptArchive(messageOf(error), error);
  }
}

async function firstFile(tar: Uint8Array, path: string): Promise<Uint8Array> {
  const entries = extract();
  entries.end(tar);
  try {
    for await (const entry of entries) {
      if (entry.header.name !== path || entry.header.type !== 'file') {
        break;
      }
      return await entryBytes(entry);
    }
  } catch (error) {
    throw isLifeboatError(error) ? error : corruptArchive(messageOf(error), error);
  }
  throw corruptArchive(`${excerptOf(path)} is not where its index says`);
}
