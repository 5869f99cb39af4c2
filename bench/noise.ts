import { createHash } from 'node:crypto';

export const mebibyte: number = 1024 * 1024;
const chunkBytes = 128 * 1024;

/** Bytes that look random and are the same each time. */
export function noiseOf(sizeBytes: number): Buffer {
  const block = Buffer.concat(
    Array.from({ length: 4_096 }, (_, i) => createHash('sha256').update(String(i)).digest()),
  );
  return Buffer.alloc(sizeBytes, block);
}

/** A stream as that of an archive: new chunks of 128 KiB. */
export async function* streamOf(sizeBytes: number): AsyncGenerator<Uint8Array> {
  const noise = noiseOf(chunkBytes);
  for (let rest = sizeBytes; rest > 0; rest -= chunkBytes) {
    yield Buffer.from(noise.subarray(0, rest));
  }
}
