import { abortable } from '../internal/abortable.ts';
import type { ObjectBody } from '../ports/object-store.ts';
import { PartBuffer } from './part-buffer.ts';

/** A piece of a body, as an upload in parts sends it. */
export interface BodyPart {
  readonly bytes: Uint8Array;
  /** Whether the body ends with it. */
  readonly isLast: boolean;
  /** Says that the bytes have been sent and are not read any more: their memory may then hold a later part. */
  release(): void;
}

/**
 * Cuts a body into parts of an exact size, of which only the last may be shorter: what a store needs that uploads in parts.
 *
 * - At least one part is yielded: an empty one for an empty body.
 * - Bytes are cut where they are. A stream is copied, one part at a time, whatever the sizes of its chunks.
 * - Aborted: rejects with `signal.reason` at once, even while the body hangs. The body is closed when the loop is left.
 */
export function partsOf(
  body: ObjectBody,
  partSizeBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<BodyPart> {
  return body instanceof Uint8Array
    ? partsOfBytes(body, partSizeBytes, signal)
    : partsOfStream(body, partSizeBytes, signal);
}

async function* partsOfBytes(
  body: Uint8Array,
  partSizeBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<BodyPart> {
  let start = 0;
  do {
    signal?.throwIfAborted();
    const end = start + partSizeBytes;
    const isLast = end >= body.byteLength;
    yield { bytes: body.subarray(start, end), isLast, release: () => undefined };
    start = end;
  } while (start < body.byteLength);
}

async function* partsOfStream(
  body: AsyncIterable<Uint8Array>,
  partSizeBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<BodyPart> {
  const buffer = new PartBuffer(partSizeBytes);
  for await (const chunk of abortable(body, signal)) {
    for (let filled = 0; filled < chunk.byteLength; ) {
      // Only when more is there than a part holds is it known that this part is not the last.
      if (buffer.isFull) {
        const bytes = buffer.take();
        yield { bytes, isLast: false, release: () => buffer.giveBack(bytes) };
      }
      filled += buffer.fill(chunk.subarray(filled));
    }
  }
  yield { bytes: buffer.take(), isLast: true, release: () => undefined };
}
