import { corruptArchive } from './archive-guard.ts';

const space = 0x20;
const newline = 0x0a;

/**
 * Reads the records of a pax extension, `<length> <key>=<value>\n` each.
 *
 * @throws {LifeboatError} code CorruptBackup when they are not that.
 */
export function paxRecords(bytes: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let start = 0; start < bytes.byteLength; ) {
    const digitsEnd = bytes.indexOf(space, start);
    const length = Number(bytes.toString('latin1', start, Math.max(start, digitsEnd)));
    const end = start + length;
    const text = bytes.toString('utf8', digitsEnd + 1, end - 1);
    const equals = text.indexOf('=');
    if (!Number.isSafeInteger(length) || bytes[end - 1] !== newline || equals <= 0) {
      throw corruptArchive('the extension of a header cannot be read');
    }
    records.set(text.slice(0, equals), text.slice(equals + 1));
    start = end;
  }
  return records;
}
