import type { Readable } from 'node:stream';
import { ObjectStoreError } from '../errors.ts';

/** Options of {@link readBody}. */
export interface ReadBodyOptions {
  readonly key: string;
  readonly signal: AbortSignal | undefined;
  /** How long to wait for the next bytes before the connection is given up. */
  readonly stalledAfterMs: number;
}

/**
 * Reads the body of an answer. It is destroyed, and its connection with it, when the loop is left, the signal aborts, or nothing
 * arrives for too long while it is waited for; a slow reader does not count as a stall.
 */
export function readBody(body: Readable, options: ReadBodyOptions): AsyncGenerator<Uint8Array> {
  const { signal } = options;
  const abort = (): void => {
    body.destroy();
  };
  signal?.addEventListener('abort', abort, { once: true });
  body.once('close', () => signal?.removeEventListener('abort', abort));
  // A connection may break before anyone reads: the reader is told then, and nobody else.
  body.on('error', () => undefined);
  return chunksOf(body, options);
}

async function* chunksOf(
  body: Readable,
  { key, signal, stalledAfterMs }: ReadBodyOptions,
): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const timer = setTimeout(() => {
        body.destroy(stalledError(key, stalledAfterMs));
      }, stalledAfterMs);
      const result = await chunks.next().finally(() => {
        clearTimeout(timer);
      });
      if (result.done === true) {
        return;
      }
      yield result.value;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    body.destroy();
  }
}

function stalledError(key: string, stalledAfterMs: number): ObjectStoreError {
  return new ObjectStoreError(
    `ObjectStore.get: reading ${key}, nothing has arrived for ${stalledAfterMs} ms; the connection was given up`,
    { code: 'Unavailable', operation: 'ObjectStore.get', target: key, retryable: true },
  );
}
