import { AbortScope } from './abort-scope.ts';

/** Options of {@link runAll}. */
export interface RunAllOptions {
  /** How many items are worked on at a time; at least one. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does the work for every item, a few at a time, and resolves when all of it is done.
 *
 * - The first failure, of the work or of the source, aborts the signal of the others; all of them are awaited, and that
 *   first error is thrown.
 * - Aborted: nothing more is started, what runs is awaited, then it rejects with `signal.reason`.
 * - The source is asked for one item at a time and only when there is room for it. A source that may wait for ever has to
 *   honour the signal itself.
 */
export async function runAll<T>(
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  { concurrency, signal }: RunAllOptions,
): Promise<void> {
  signal?.throwIfAborted();
  using scope = new AbortScope(signal);
  const stopped = (): boolean => scope.signal.aborted;
  let running = 0;
  let wake = (): void => undefined;
  // One promise for whoever waits, not one for each item that runs: a race among those would add to each of them at every item.
  const oneHasEnded = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const end = (): void => {
    running -= 1;
    wake();
  };
  const start = (item: T): void => {
    const task = work(item, scope.signal);
    running += 1;
    task.then(end, (error: unknown) => {
      scope.abort(error);
      end();
    });
  };

  try {
    for await (const item of items) {
      if (stopped()) {
        break;
      }
      start(item);
      if (running >= concurrency) {
        await oneHasEnded();
      }
      if (stopped()) {
        break;
      }
    }
  } catch (error) {
    scope.abort(error);
  }
  while (running > 0) {
    await oneHasEnded();
  }
  scope.signal.throwIfAborted();
}
