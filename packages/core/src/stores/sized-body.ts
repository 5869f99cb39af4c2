import { ObjectStoreError } from '../errors.ts';
import type { ObjectBody } from '../ports/object-store.ts';

/**
 * Holds a body to the size that was announced for it: bytes at once, a stream while it is read. Without an announced size it is
 * the body.
 *
 * @throws {ObjectStoreError} code PreconditionFailed when the body has more or fewer bytes; a stream fails with it.
 */
export function sizedBody(
  body: ObjectBody,
  sizeBytes: number | undefined,
  key: string,
): ObjectBody {
  if (sizeBytes === undefined) {
    return body;
  }
  if (body instanceof Uint8Array) {
    assertSize(body.byteLength, sizeBytes, key);
    return body;
  }
  return sizedStream(body, sizeBytes, key);
}

async function* sizedStream(
  body: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  key: string,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of body) {
    read += chunk.byteLength;
    if (read > sizeBytes) {
      assertSize(read, sizeBytes, key);
    }
    yield chunk;
  }
  assertSize(read, sizeBytes, key);
}

function assertSize(read: number, sizeBytes: number, key: string): void {
  if (read !== sizeBytes) {
    const found = read > sizeBytes ? 'more' : `only ${read}`;
    throw new ObjectStoreError(
      `ObjectStore.put: the body of ${key} was announced with ${sizeBytes} bytes and has ${found}; nothing was stored`,
      { code: 'PreconditionFailed', operation: 'ObjectStore.put', target: key },
    );
  }
}
