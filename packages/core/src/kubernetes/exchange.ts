import type { Dispatcher } from 'undici';
import { onAbort } from '../internal/on-abort.ts';
import type { HttpAnswer } from './http-transport.ts';

// Nobody sees it: whoever aborts a request is told the reason at once.
const cutOff = new Error('the request was aborted');

/**
 * Sends a request and reads its answer to the end. Rejects as the connection does, or with `signal.reason` as soon as the signal aborts.
 *
 * It is `Dispatcher.request` without an `AsyncResource` for each request: with those, what a request held is mostly taken for alive by
 * the collections of garbage that follow its end. Of thousands of them, that has V8 enlarge its space for new objects to the limit.
 */
export async function exchange(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer> {
  signal?.throwIfAborted();
  const handler = new AnswerHandler();
  dispatcher.dispatch(options, handler);
  // Awaited elsewhere: the text of the body, which is in the options, is not kept until the answer comes.
  return answerOf(handler, signal);
}

async function answerOf(
  handler: AnswerHandler,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer> {
  const forget = signal && onAbort(signal, () => handler.abort(signal.reason));
  try {
    return await handler.answer;
  } finally {
    forget?.();
  }
}

/** Collects an answer. What comes once it is settled counts for nothing. */
class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #settlement: PromiseWithResolvers<HttpAnswer> = Promise.withResolvers();
  readonly #chunks: Uint8Array[] = [];
  #head: Pick<HttpAnswer, 'status' | 'headers'> = { status: 0, headers: {} };
  #controller: Dispatcher.DispatchController | undefined;
  #isAborted = false;

  get answer(): Promise<HttpAnswer> {
    return this.#settlement.promise;
  }

  /** Settles the answer, and cuts the connection, if the request has got one yet, or once it gets one. */
  abort(reason: unknown): void {
    this.#isAborted = true;
    this.#settlement.reject(reason);
    this.#controller?.abort(cutOff);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isAborted) {
      controller.abort(cutOff);
    }
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: HttpAnswer['headers'],
  ): void {
    // Those below 200 announce another one, which overwrites them.
    this.#head = { status, headers };
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const bytes =
      first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    this.#settlement.resolve({ ...this.#head, text: new TextDecoder().decode(bytes) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settlement.reject(error);
  }
}
