/** What a request sends. */
export interface RequestBody {
  /** `undefined` while nobody knows. */
  readonly sizeBytes: number | undefined;
  /** Gives the bytes, from the start each time. Those of one step are not needed any more when the next is asked for. */
  read(): AsyncIterator<Uint8Array>;
}

// Pieces up to this are sent with one write.
const joinedBytes = 64 * 1024;
// What is written at once has to be encrypted at once.
const sliceBytes = 1024 * 1024;

/** A request body of some pieces, which are not copied when they are long. */
export function bodyOf(...pieces: readonly (Uint8Array | string)[]): RequestBody {
  const bytes = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece));
  const sizeBytes = bytes.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const joined = sizeBytes <= joinedBytes ? [Buffer.concat(bytes)] : bytes;
  return { sizeBytes, read: () => slicesOf(joined) };
}

async function* slicesOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    for (let start = 0; start < piece.byteLength; start += sliceBytes) {
      yield piece.subarray(start, start + sliceBytes);
    }
  }
}
