import { expect, it } from 'vitest';
import { Crc32c } from './crc32c.ts';
import { ReplayWindow } from './replay-window.ts';

const capacityBytes = 128 * 1024;

function bytesOf(sizeBytes: number): Buffer {
  return Buffer.from(Array.from({ length: sizeBytes }, (_, i) => (i * 31 + (i >> 8)) % 251));
}

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += pieceBytes) {
    yield bytes.subarray(start, start + pieceBytes);
  }
}

/** Copies each step before it asks for the next, as a connection does. */
async function read(steps: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(steps, (bytes) => Buffer.from(bytes)));
}

it.each([1_000, 65_536, 100_003, 131_072, 500_000])(
  'gives a stream of pieces of %d bytes as it is, whatever wraps around',
  async (pieceBytes) => {
    const bytes = bytesOf(700_001);
    const window = new ReplayWindow(inPieces(bytes, pieceBytes), capacityBytes);
    expect((await read(window.from(0))).equals(bytes)).toBe(true);
    expect(window).toMatchObject({ end: bytes.byteLength, isComplete: true, failure: undefined });
    const checksum = new Crc32c();
    checksum.update(bytes);
    expect(window.checksum).toBe(checksum.toString());
  },
);

it.each([0, 1, 65_536, 131_072])(
  'gives the last bytes again, from %d behind their start',
  async (back) => {
    const bytes = bytesOf(400_000);
    const window = new ReplayWindow(inPieces(bytes, 10_000), capacityBytes);
    let sent = 0;
    for await (const step of window.from(0)) {
      sent += step.byteLength;
      if (sent > 200_000) break;
    }
    const position = window.start + back;
    expect(window.end - window.start).toBe(capacityBytes);
    expect((await read(window.from(position))).equals(bytes.subarray(position))).toBe(true);
  },
);

it('reads no further than it is asked to', async () => {
  let pulled = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (;;) {
      pulled += 1;
      yield bytesOf(1_000);
    }
  }
  const window = new ReplayWindow(source(), capacityBytes);
  await window.readTo(2_500);
  expect(pulled).toBe(3);
  expect(window.bytes.byteLength).toBe(3_000);
});

it('tells of an empty stream that it is complete', async () => {
  const window = new ReplayWindow(inPieces(bytesOf(0), 1), capacityBytes);
  await window.readTo(1);
  expect(window).toMatchObject({ isComplete: true, end: 0, checksum: 'AAAAAA==' });
  expect(await read(window.from(0))).toHaveLength(0);
});

it('keeps what the stream threw apart from what went wrong on the way', async () => {
  const failure = new Error('the source fails');
  async function* source(): AsyncGenerator<Uint8Array> {
    yield bytesOf(10);
    throw failure;
  }
  const window = new ReplayWindow(source(), capacityBytes);
  await expect(read(window.from(0))).rejects.toBe(failure);
  expect(window.failure).toEqual({ error: failure });
});
