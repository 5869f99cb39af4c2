/** The Castagnoli polynomial, its bits reversed: https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4 */
const polynomial = 0x82f63b78;
const tables: DataView = createTables();

/**
 * The checksum by which Cloud Storage knows what it stores. It is computed eight bytes at a time, which is more than three times
 * as fast as the one that the client exports.
 */
export class Crc32c {
  #state = -1;

  update(bytes: Uint8Array): void {
    this.#state = updated(this.#state, bytes);
  }

  /** As the service writes it: base64 of four bytes, the highest first. */
  toString(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(~this.#state);
    return bytes.toString('base64');
  }
}

function updated(state: number, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let current = state;
  let index = 0;
  for (; index + 8 <= view.byteLength; index += 8) {
    const low = current ^ view.getInt32(index, true);
    const high = view.getInt32(index + 4, true);
    current =
      entry(7, low & 0xff) ^
      entry(6, (low >>> 8) & 0xff) ^
      entry(5, (low >>> 16) & 0xff) ^
      entry(4, low >>> 24) ^
      entry(3, high & 0xff) ^
      entry(2, (high >>> 8) & 0xff) ^
      entry(1, (high >>> 16) & 0xff) ^
      entry(0, high >>> 24);
  }
  for (; index < view.byteLength; index += 1) {
    current = entry(0, (current ^ view.getUint8(index)) & 0xff) ^ (current >>> 8);
  }
  return current;
}

function entry(table: number, byte: number): number {
  return tables.getInt32((table * 256 + byte) * 4, true);
}

/** Eight tables of 256: the first for a byte, each next one for a byte that is one further back. */
function createTables(): DataView {
  const all = new DataView(new ArrayBuffer(8 * 256 * 4));
  for (let byte = 0; byte < 256; byte += 1) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    }
    all.setInt32(byte * 4, value, true);
  }
  for (let index = 256; index < 8 * 256; index += 1) {
    const before = all.getInt32((index - 256) * 4, true);
    all.setInt32(index * 4, (before >>> 8) ^ all.getInt32((before & 0xff) * 4, true), true);
  }
  return all;
}
