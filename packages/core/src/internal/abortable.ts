/**
 * Passes a stream on until the signal aborts, and then rejects with `signal.reason` at once, even while the source hangs. The
 * source is closed when the loop is left; one that hangs is not waited for.
 */
export async function* abortable<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  if (signal === undefined) {
    yield* source;
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const result = await nextUnlessAborted(iterator, signal);
      if (result === undefined) {
        continue;
      }
      if (result.done) {
        ended = true;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    ended = !signal.aborted;
    throw error;
  } finally {
    if (!ended) {
      const closing = iterator.return?.();
      if (!signal.aborted) {
        await closing;
      } else {
        closing?.catch(() => undefined);
      }
    }
  }
}

/** The next item, or `undefined` when the abort comes first. */
async function nextUnlessAborted<T>(
  iterator: AsyncIterator<T>,
  signal: AbortSignal,
): Promise<IteratorResult<T> | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => {
    aborted.resolve(undefined);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([iterator.next(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
