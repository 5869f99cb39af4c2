import type { ObjectStat } from '../ports/object-store.ts';

/** An object to look into. */
export interface ReadableObject {
  stat(): Promise<Pick<ObjectStat, 'sizeBytes'> | undefined>;
  get(): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** Whether an object has these very bytes. It is read only if it has as many, and no further than to the first that differs. */
export async function holdsBytes(object: ReadableObject, bytes: Uint8Array): Promise<boolean> {
  const stat = await object.stat();
  if (stat?.sizeBytes !== bytes.byteLength) {
    return false;
  }
  let read = 0;
  for await (const chunk of (await object.get()) ?? []) {
    const expected = bytes.subarray(read, read + chunk.byteLength);
    if (Buffer.compare(chunk, expected) !== 0) {
      return false;
    }
    read += chunk.byteLength;
  }
  return read === bytes.byteLength;
}
