import { abortable } from '../internal/abortable.ts';
import type { ObjectBody } from '../ports/object-store.ts';

/** A piece of a body, as an upload in parts sends it. */
export interface BodyPart {
  readonly bytes: Uint8Array;
  /** Whether the body ends with it. */
  readonly isLast: boolean;
}

/**
 * Cuts a body into parts of an exact size, of which only the last may be shorter: what a store needs that uploads in parts.
 *
 * - At least one part is yielded: an empty one for an empty body.
 * - One part is held at a time, whatever the sizes of the body's chunks, and each is a copy.
 * - Aborted: rejects with `signal.reason` at once, even while the body hangs. The body is closed when the loop is left.
 */
export async function* partsOf(
  body: ObjectBody,
  partSizeBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<BodyPart> {
  let chunks: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of abortable(chunksOf(body), signal)) {
    let rest = chunk;
    // Only when more is there than a part holds is it known that this part is not the last.
    while (pendingBytes + rest.byteLength > partSizeBytes) {
      const missingBytes = partSizeBytes - pendingBytes;
      chunks.push(rest.subarray(0, missingBytes));
      const bytes = Buffer.concat(chunks, partSizeBytes);
      chunks = [];
      pendingBytes = 0;
      rest = rest.subarray(missingBytes);
      yield { bytes, isLast: false };
    }
    if (rest.byteLength > 0) {
      chunks.push(rest);
      pendingBytes += rest.byteLength;
    }
  }
  yield { bytes: Buffer.concat(chunks, pendingBytes), isLast: true };
}

async function* chunksOf(body: ObjectBody): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
  } else {
    yield* body;
  }
}
