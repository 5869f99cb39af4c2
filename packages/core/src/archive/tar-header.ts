import { corruptArchive } from './archive-guard.ts';

/** What a header says of the content behind it. */
export interface TarHeader {
  readonly name: string;
  /** One character, as POSIX and GNU have them; `0` is a regular file. */
  readonly type: string;
  /** Of the content in bytes; `NaN` when it is not written in octal digits, as every size below 8 GiB is. */
  readonly size: number;
}

/** Headers, and what contents are padded to. */
export const tarBlockBytes = 512;

const sizeField = { start: 124, length: 12 };
const sumField = { start: 148, length: 8 };
const typeAt = 156;
const magicAt = 257;
const prefixAt = 345;
const space = 0x20;
const zero = 0x30;
const seven = 0x37;

/**
 * Reads the header that begins at an offset; `undefined` when it is a block of zeros.
 *
 * @throws {LifeboatError} code CorruptBackup when its checksum is wrong, or it is neither of POSIX nor of GNU.
 */
export function readTarHeader(bytes: Buffer, start: number): TarHeader | undefined {
  const sum = sumOf(bytes, start, tarBlockBytes);
  if (sum === 0) {
    return undefined;
  }
  const sumStart = start + sumField.start;
  // The sum is taken with spaces in its own field.
  const expected = sum - sumOf(bytes, sumStart, sumField.length) + sumField.length * space;
  if (octalAt(bytes, sumStart, sumField.length) !== expected) {
    throw corruptArchive('the checksum of a header is wrong');
  }
  const magic = bytes.toString('latin1', start + magicAt, start + magicAt + 6);
  if (magic !== 'ustar\0' && magic !== 'ustar ') {
    throw corruptArchive('a header is of an unknown format');
  }
  const ownName = textAt(bytes, start, 100);
  const prefix = magic === 'ustar\0' ? textAt(bytes, start + prefixAt, 155) : '';
  return {
    name: prefix === '' ? ownName : `${prefix}/${ownName}`,
    type: String.fromCharCode(bytes[start + typeAt] || zero),
    size: octalAt(bytes, start + sizeField.start, sizeField.length),
  };
}

function sumOf(bytes: Buffer, start: number, length: number): number {
  let sum = 0;
  for (let at = start; at < start + length; at += 1) {
    sum += bytes[at] ?? 0;
  }
  return sum;
}

function octalAt(bytes: Buffer, start: number, length: number): number {
  let value = 0;
  let isLeading = true;
  for (let at = start; at < start + length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0 || byte === space) {
      if (byte === space && isLeading) {
        continue;
      }
      break;
    }
    if (byte < zero || byte > seven) {
      return Number.NaN;
    }
    isLeading = false;
    value = value * 8 + (byte - zero);
  }
  return value;
}

/** A text that ends with its field or with a NUL. */
function textAt(bytes: Buffer, start: number, length: number): string {
  const end = bytes.subarray(start, start + length).indexOf(0);
  return bytes.toString('utf8', start, start + (end < 0 ? length : end));
}
