import { AbortScope } from '../internal/abort-scope.ts';
import { abortable } from '../internal/abortable.ts';

/**
 * The stream that a `put` reads, watched: when an upload fails, it tells whether the stream was at fault. Ends with the reason of
 * the signal when that aborts, even while the stream hangs.
 */
export class WatchedSource implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #scope: AbortScope;
  #reading: AsyncGenerator<Uint8Array> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#scope = new AbortScope(signal);
  }

  /** What the stream threw; `undefined` while it has not. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  /** Closes the stream, read or not. One that hangs is told to end and not waited for. */
  async close(): Promise<void> {
    using scope = this.#scope;
    scope.abort(new Error('the upload is over'));
    const closing =
      this.#reading === undefined
        ? this.#source[Symbol.asyncIterator]().return?.()
        : this.#reading.return(undefined);
    await closing?.catch(() => undefined);
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      yield* abortable(this.#source, this.#scope.signal);
    } catch (error) {
      if (!this.#scope.signal.aborted) {
        this.#failure = { error };
      }
      throw error;
    }
  }
}
