import { LifeboatError } from '../errors.ts';

/** Options of {@link readAll}. */
export interface ReadAllOptions {
  /** The most that is read: a body whose size our own format bounds is held in memory, no other. */
  readonly maximumBytes: number;
  /** What is read, for the message: a key. */
  readonly target?: string | undefined;
}

/**
 * Reads a stream of bytes into memory. Stops and closes the stream as soon as it is longer than allowed.
 *
 * @throws {LifeboatError} code CorruptBackup when the body is longer than `maximumBytes`.
 */
export async function readAll(
  body: AsyncIterable<Uint8Array>,
  { maximumBytes, target }: ReadAllOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maximumBytes) {
      throw new LifeboatError(
        `read: ${target ?? 'the body'} is longer than ${maximumBytes} bytes, more than such a file can have: it is damaged or not part of a backup`,
        { code: 'CorruptBackup', operation: 'read', target },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}
