import {
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { RequestBody } from './request-body.ts';
import { sendBody } from './send-body.ts';

/** A request of HTTP. */
export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RequestBody | undefined;
  readonly signal: AbortSignal | undefined;
  /** How long to wait for the answer when the abort comes after the whole request has been sent. @default 0 */
  readonly graceMs?: number | undefined;
}

/** The whole request was sent, the call was aborted, and no answer has come: nobody knows what the server has done. */
export class MissingAnswerError extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'MissingAnswerError' });
  }
}

/** An answer. Its body has to be read or destroyed. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

const silentAfterMs = 120_000;

/**
 * Sends a request with the connections of Node.js itself: a body is neither copied nor read ahead, as `fetch` does.
 *
 * - An answer that comes before the whole body was sent ends the sending.
 * - Aborted: the connection is closed, so that a request that was not sent whole is none to the server. That holds while the body
 *   of the answer is read, too. With `graceMs`, a request that was sent whole rejects with {@link MissingAnswerError} instead of
 *   the reason of the signal.
 * - A connection on which nothing moves for two minutes is given up as ETIMEDOUT.
 */
export async function sendHttp(url: URL, request: HttpRequest): Promise<HttpResponse> {
  const { method, body, signal, graceMs = 0 } = request;
  signal?.throwIfAborted();
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const message = open(url, { method, headers: { ...request.headers, ...lengthOf(body) } });
  const answer = answerOf(message);
  endOnAbort(message, signal, graceMs);
  let isSent = false;
  try {
    isSent = body === undefined || (await sendBody(message, body.read()));
    if (isSent) {
      message.end();
    }
    const response = await answer;
    message.setTimeout(0);
    if (!isSent) {
      response.once('close', () => message.destroy());
    }
    return { status: response.statusCode ?? 0, headers: response.headers, body: response };
  } catch (error) {
    message.destroy();
    if (!signal?.aborted) {
      throw error;
    }
    throw isSent && graceMs > 0
      ? new MissingAnswerError('the request was aborted after it was sent', { cause: error })
      : signal.reason;
  }
}

/** Reads a body that is short. */
export async function textOf({ body }: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Reads what is left of an answer that says nothing more, so that its connection can be used again. */
export async function drain(response: HttpResponse): Promise<void> {
  await textOf(response);
}

/** Without a length the body is sent in chunks, whose last one says that it was whole. */
function lengthOf(body: RequestBody | undefined): Readonly<Record<string, string | number>> {
  if (body === undefined) {
    return {};
  }
  return body.sizeBytes === undefined
    ? { 'transfer-encoding': 'chunked' }
    : { 'content-length': body.sizeBytes };
}

function answerOf(message: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  message.once('response', resolve);
  message.on('error', reject);
  message.once('close', () => {
    reject(connectionError('ECONNRESET', 'the connection was closed'));
  });
  message.setTimeout(silentAfterMs, () => {
    message.destroy(connectionError('ETIMEDOUT', `nothing moved for ${silentAfterMs} ms`));
  });
  // Whoever sends the body may fail first, and then nobody waits for it.
  promise.catch(() => undefined);
  return promise;
}

function endOnAbort(
  message: ClientRequest,
  signal: AbortSignal | undefined,
  graceMs: number,
): void {
  let timer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    if (message.writableFinished && graceMs > 0) {
      timer = setTimeout(() => message.destroy(), graceMs);
    } else {
      message.destroy();
    }
  };
  signal?.addEventListener('abort', abort, { once: true });
  message.once('close', () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  });
}

function connectionError(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}
