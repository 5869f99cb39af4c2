const blockBytes = 512;
const nameBytes = 100;
const prefixBytes = 155;
const checksumOffset = 148;
const checksumBytes = 8;
/** Velero's extractor gives directories the mode of the files in them, so a file needs the execute bits. */
const mode = '0000755';

/** The end of a tar: two empty blocks. */
export const endOfTar: Uint8Array = new Uint8Array(2 * blockBytes);

/** How long a file's content is in a tar, filled up to whole blocks. */
export function paddedBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}

/**
 * What stands before the content of regular files of one time: a header (POSIX ustar) and, where the path does not fit into that, an
 * extended header in front of it (PAX).
 */
export class TarHeaders {
  readonly #template: Buffer = Buffer.alloc(blockBytes);

  constructor(modifiedAt: Date) {
    const template = this.#template;
    template.write(mode, 100);
    template.write(octal(0, 7), 108);
    template.write(octal(0, 7), 116);
    template.write(octal(Math.floor(modifiedAt.getTime() / 1_000), 11), 136);
    template.write('ustar\x0000', 257);
    template.write(octal(0, 7), 329);
    template.write(octal(0, 7), 337);
  }

  /** The header of a file. */
  of(path: string, sizeBytes: number): Buffer {
    const place = ustarPlaceOf(path);
    if (place !== undefined) {
      return this.#header({ ...place, sizeBytes, type: '0' });
    }
    const record = paxRecord('path', path);
    const extended = Buffer.alloc(paddedBytes(record.byteLength));
    record.copy(extended);
    return Buffer.concat([
      this.#header({ name: 'PaxHeader', prefix: '', sizeBytes: record.byteLength, type: 'x' }),
      extended,
      this.#header({ name: path, prefix: '', sizeBytes, type: '0' }),
    ]);
  }

  #header({ name, prefix, sizeBytes, type }: UstarPlace & HeaderFields): Buffer {
    const block = Buffer.from(this.#template);
    block.write(name, 0, nameBytes);
    block.write(octal(sizeBytes, 11), 124);
    block.write(type, 156);
    block.write(prefix, 345);
    // The checksum is that of a header with blanks in its place.
    let sum = checksumBytes * 0x20;
    for (let offset = 0; offset < blockBytes; offset += 1) {
      sum += block[offset] ?? 0;
    }
    block.write(`${octal(sum, 6)}\0 `, checksumOffset);
    return block;
  }
}

interface UstarPlace {
  readonly name: string;
  readonly prefix: string;
}

interface HeaderFields {
  readonly sizeBytes: number;
  readonly type: '0' | 'x';
}

/** The path divided as a ustar header holds it; `undefined` when it does not fit, or is not ASCII. */
function ustarPlaceOf(path: string): UstarPlace | undefined {
  if (Buffer.byteLength(path) !== path.length) {
    return undefined;
  }
  if (path.length <= nameBytes) {
    return { name: path, prefix: '' };
  }
  const slash = path.lastIndexOf('/', prefixBytes);
  const name = path.slice(slash + 1);
  return slash > 0 && name.length > 0 && name.length <= nameBytes
    ? { name, prefix: path.slice(0, slash) }
    : undefined;
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  let length = restBytes + String(restBytes).length;
  length = restBytes + String(length).length;
  return Buffer.from(`${length}${rest}`);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
