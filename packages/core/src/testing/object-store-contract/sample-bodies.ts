import assert from 'node:assert/strict';
import type { GetOptions, ObjectBody, ObjectStore } from '../../ports/object-store.ts';

const streamChunkBytes = 10_000;

/** Bytes that differ from place to place, so that a lost, doubled or swapped part is noticed. */
export function sampleBytes(sizeBytes: number, seed: number = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let index = 0; index < sizeBytes; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** The bytes as a stream of chunks that do not fit any part size. */
export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += streamChunkBytes) {
    yield bytes.subarray(offset, offset + streamChunkBytes);
  }
}

/** A stream that gives its bytes and then fails. */
export async function* failingStream(
  bytes: Uint8Array,
  failure: Error,
): AsyncGenerator<Uint8Array> {
  yield* streamOf(bytes);
  throw failure;
}

/** A stream that gives its bytes, calls back, and then never goes on. */
export async function* hangingStream(
  bytes: Uint8Array,
  onHang: () => void,
): AsyncGenerator<Uint8Array> {
  yield* streamOf(bytes);
  onHang();
  await Promise.withResolvers<never>().promise;
}

/** Reads an object whole. */
export async function readObject(
  store: ObjectStore,
  key: string,
  options: GetOptions,
): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(await store.get(key, options)));
}

/** Stores a body and checks that the very bytes are read back, and their number is known. */
export async function assertRoundTrip(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  signal: AbortSignal,
  body: ObjectBody = bytes,
): Promise<void> {
  await store.put(key, body, { signal });
  assertSameBytes(await readObject(store, key, { signal }), bytes);
  const stat = await store.stat(key, { signal });
  assert.equal(stat?.key, key);
  assert.equal(stat.sizeBytes, bytes.byteLength);
}

/** Checks that two buffers hold the same bytes, without printing them when they do not. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.byteLength, expected.byteLength, 'the number of bytes differs');
  const difference = actual.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(difference, -1, `the bytes differ from place ${difference} on`);
}

/** The keys below a prefix, in the order of the list. */
export async function keysBelow(
  store: ObjectStore,
  prefix: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return Array.fromAsync(store.list(prefix, { signal }), ({ key }) => key);
}
