import { Transform, type TransformCallback } from 'node:stream';

/**
 * Joins small chunks into chunks of at least `sizeBytes`; only the last may be shorter. Between a tar writer and a
 * compressor it saves one job of the thread pool per 512-byte header: about four times the throughput.
 */
export function coalesce(sizeBytes: number = 128 * 1024): Transform {
  let chunks: Uint8Array[] = [];
  let pendingBytes = 0;
  const takePending = (): Uint8Array => {
    const joined = Buffer.concat(chunks, pendingBytes);
    chunks = [];
    pendingBytes = 0;
    return joined;
  };
  return new Transform({
    transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
      chunks.push(chunk);
      pendingBytes += chunk.byteLength;
      done(null, pendingBytes >= sizeBytes ? takePending() : undefined);
    },
    flush(done: TransformCallback): void {
      done(null, pendingBytes > 0 ? takePending() : undefined);
    },
  });
}
