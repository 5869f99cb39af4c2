import { Readable } from 'node:stream';
import { type Header, pack } from 'tar-stream';

/** An entry of a tar, whoever writes it. */
export type PackedEntry = Partial<Header> & { readonly name: string; readonly body?: string };

/** A tar of entries as they are given. */
export async function tarOf(entries: readonly PackedEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { body = '', ...header } of entries) {
    tar.entry(header, body);
  }
  tar.finalize();
  const content: AsyncIterable<Uint8Array> = Readable.from(tar);
  return Buffer.concat(await Array.fromAsync(content));
}

/** Sets a field of the tar header at a place, and makes its checksum right. */
export function withHeaderField(
  tar: Uint8Array,
  offset: number,
  field: Uint8Array,
  at = 0,
): Buffer {
  const changed = Buffer.from(tar);
  changed.set(field, at + offset);
  changed.fill(' ', at + 148, at + 156);
  const sum = changed.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
  return changed;
}
