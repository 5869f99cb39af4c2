/** A signal that follows another one; dispose it when the request is over. */
export interface DelayedSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Makes a signal that aborts a while after another one: for a request that should come to its end even so, because nobody could
 * tell what it has done if it were cut off.
 */
export function delayedSignal(signal: AbortSignal | undefined, delayMs: number): DelayedSignal {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => {
      controller.abort(signal?.reason);
    }, delayMs);
  };
  if (signal?.aborted) {
    start();
  } else {
    signal?.addEventListener('abort', start, { once: true });
  }
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', start);
    },
  };
}
