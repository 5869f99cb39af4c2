import type { ClientRequest } from 'node:http';

/**
 * Writes the bytes of a request, the next ones when the system has taken the last: whoever gives them may use their memory again.
 *
 * Returns whether all were written. The end of the request, or its answer, ends it early; the rest is left unread then.
 */
export async function sendBody(
  message: ClientRequest,
  bytes: AsyncIterator<Uint8Array>,
): Promise<boolean> {
  const request = { isOver: false };
  const end = (): void => {
    request.isOver = true;
  };
  message.once('response', end);
  message.once('close', end);
  try {
    while (!request.isOver && !message.destroyed) {
      const next = await unlessOver(message, bytes.next());
      if (next?.done === true) {
        return !message.destroyed;
      }
      if (next !== undefined) {
        await unlessOver(message, write(message, next.value));
      }
    }
    return false;
  } finally {
    // Not awaited: a source that hangs is ended by its owner.
    bytes.return?.().catch(() => undefined);
  }
}

/** What a promise gives, or `undefined` when the request is over or answered before. */
function unlessOver<T>(message: ClientRequest, work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const end = (): void => {
    resolve(undefined);
  };
  message.once('response', end);
  message.once('close', end);
  work.then(resolve, reject);
  return promise.finally(() => {
    message.off('response', end);
    message.off('close', end);
  });
}

/** Resolves also when the connection breaks, of which the request tells itself. */
function write(message: ClientRequest, bytes: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  message.write(bytes, () => {
    resolve();
  });
  return promise;
}
