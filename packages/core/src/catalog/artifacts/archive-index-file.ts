import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ArchiveMember, IndexedObject } from '../../archive/archive-index.ts';
import { escapeHtml } from '../../model/json.ts';
import { GzipParts } from '../gzip-parts.ts';
import { archiveIndexFormatVersion } from './archive-index-json.ts';

const compress = promisify(gzip);

/**
 * The index of an archive that is being written, as a file: see `decodeArchiveIndex` for what it holds. Rows are compressed as they come, and
 * the file is the gzip members of them all, so that of each object some 60 bytes are in memory.
 */
export class ArchiveIndexFile {
  readonly #rows = new GzipParts();
  #objects = 0;

  /** How many objects it has. */
  get objects(): number {
    return this.#objects;
  }

  /** Adds the next object of the archive. */
  add(object: IndexedObject): void {
    const row = [
      ...[object.group, object.version, object.resource, object.namespace ?? '', object.name],
      ...[object.member, object.offset, object.tarBytes, object.sizeBytes, object.sha256],
    ];
    const separator = this.#objects === 0 ? '' : ',';
    this.#rows.write(`${separator}${escapeHtml(JSON.stringify(row))}`);
    this.#objects += 1;
  }

  /** The file of the objects so far, in members that are known when the archive is complete. Nothing can be added afterwards. */
  async end(members: readonly ArchiveMember[]): Promise<Uint8Array> {
    const rows = members.map(({ offset, sizeBytes, tarBytes }) => [offset, sizeBytes, tarBytes]);
    const head = `{"formatVersion":${archiveIndexFormatVersion},"members":${JSON.stringify(rows)},"objects":[`;
    this.#rows.write(']}\n');
    return Buffer.concat([await compress(head), await this.#rows.end()]);
  }
}
