import { isLifeboatError } from '../errors.ts';
import { type BlockBytes, BlockMemory } from '../internal/block-memory.ts';
import { systemClock } from '../internal/system-clock.ts';
import { type JsonValue, stringifyJson } from '../model/json.ts';
import type { Clock } from '../ports/clock.ts';
import {
  closedError,
  connectionError,
  connectionFailure,
  type ErrorSubject,
  type Refusal,
  refusalError,
  unexpectedAnswer,
} from './errors.ts';
import type { HttpAnswer, HttpRequest, HttpResponse, HttpTransport } from './http-transport.ts';
import { parseBody } from './parse-body.ts';
import {
  type Credentials,
  type CredentialsSource,
  obtainCredentials,
} from './request-credentials.ts';
import { retryDelayMs } from './retry-decision.ts';

/** A request to the Kubernetes API, with what its errors are to say. */
export interface ApiRequest extends ErrorSubject {
  readonly method: HttpRequest['method'];
  readonly path: string;
  /** @default 'application/json' */
  readonly accept?: string | undefined;
  readonly body?: JsonValue | undefined;
  /** @default 'application/json' */
  readonly contentType?: string | undefined;
  /** Whether repeating it comes to the same, also when the server has carried it out and did not say so. @default GET alone */
  readonly isRepeatable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called each time before it is sent again because of a 429. */
  readonly onRateLimited?: (() => void) | undefined;
}

/** An answer that has been read, success or not. */
export interface ApiAnswer extends Refusal {
  readonly isSuccess: boolean;
  /** `undefined` when it is not JSON. */
  readonly body?: JsonValue | undefined;
}

/** An answer that is no success. */
export interface RefusingAnswer extends ApiAnswer {
  readonly isSuccess: false;
}

/** A success, with what was made of its body. */
export interface ReadAnswer<T> extends Pick<Refusal, 'httpStatus'> {
  readonly isSuccess: true;
  readonly content: T;
}

/** What an {@link ApiClient} works with. */
export interface ApiClientDependencies {
  readonly transport: HttpTransport;
  readonly credentials: CredentialsSource;
  /** @default the clock of the machine */
  readonly clock?: Clock | undefined;
  /** A number from zero to one. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** Speaks JSON with an API server: credentials, retries of what is safe, typed errors. */
export class ApiClient {
  readonly #transport: HttpTransport;
  readonly #credentials: CredentialsSource;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #memory = new BlockMemory();

  constructor({
    transport,
    credentials,
    clock = systemClock,
    random = Math.random,
  }: ApiClientDependencies) {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#random = random;
  }

  /** Address of the server, without credentials. */
  get location(): string {
    return this.#transport.location;
  }

  /** Sends a request and returns the body; rejects with ClusterError for an answer other than success. */
  async request(request: ApiRequest): Promise<JsonValue> {
    return bodyOf(request, await this.call(request));
  }

  /** Sends a request and returns the answer, whatever its status. */
  call(request: ApiRequest): Promise<ApiAnswer> {
    return this.#repeat(request, async () => answerOf(await this.#exchange(request)));
  }

  /** Sends a request and returns the body of a success as bytes, which its caller has to release, and any other answer as it is. */
  callForBytes(request: ApiRequest): Promise<ReadAnswer<BlockBytes> | RefusingAnswer> {
    return this.#repeat(request, async () =>
      readBy((body) => this.#memory.read(body), await this.#open(request)),
    );
  }

  /** Opens a stream; rejects with ClusterError for an answer other than success. */
  async open(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
    const answer = await this.#repeat(request, async () =>
      readBy(async (body) => body, await this.#open(request, { isLongRunning: true })),
    );
    if (answer.isSuccess) {
      return answer.content;
    }
    throw refusalError(request, answer);
  }

  /** Aborts when the connections are closed. */
  get closing(): AbortSignal {
    return this.#transport.closing;
  }

  /** Waits; rejects with the signal's reason when it aborts, and with Closed when the connection is closed meanwhile. */
  async sleep(ms: number, subject: ErrorSubject, signal: AbortSignal | undefined): Promise<void> {
    const { closing } = this.#transport;
    try {
      await this.#clock.sleep(
        ms,
        signal === undefined ? closing : AbortSignal.any([signal, closing]),
      );
    } catch (error) {
      throw this.failureOf(subject, error, signal);
    }
  }

  /** What to throw for an error of the connection: the signal's reason, Closed, or the error of its kind. */
  failureOf(subject: ErrorSubject, error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) {
      return signal.reason;
    }
    if (this.#transport.closed) {
      return closedError(subject);
    }
    const { location, route = location } = this.#transport;
    return isLifeboatError(error) ? error : connectionError(subject, error, route);
  }

  /** Closes the connections; see {@link HttpTransport.close}. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  async #repeat<T extends Refusal>(request: ApiRequest, attempt: () => Promise<T>): Promise<T> {
    const { method, isRepeatable = method === 'GET', signal } = request;
    let spentMs = 0;
    for (let tries = 1; ; tries += 1) {
      signal?.throwIfAborted();
      const startedAt = this.#clock.now().getTime();
      let answer: T | undefined;
      let error: unknown;
      try {
        answer = await attempt();
      } catch (caught) {
        error = caught;
      }
      spentMs += this.#clock.now().getTime() - startedAt;
      const facts = answer === undefined ? retryability(error) : retryFactsOf(answer);
      const delayMs = retryDelayMs({ tries, spentMs, isRepeatable, ...facts }, this.#random);
      if (delayMs === undefined || this.#transport.closed || signal?.aborted) {
        if (answer !== undefined) {
          return answer;
        }
        throw this.failureOf(request, error, signal);
      }
      if (answer?.httpStatus === 429) {
        request.onRateLimited?.();
      }
      await this.sleep(delayMs, request, signal);
    }
  }

  async #exchange(request: ApiRequest): Promise<HttpAnswer> {
    const [prepared, credentials] = await this.#prepare(request);
    // Not awaited here, so that the text of the body is not kept until the answer comes.
    return this.#transport.exchange(prepared, credentials);
  }

  async #open(
    request: ApiRequest,
    { isLongRunning = false }: Partial<Pick<HttpRequest, 'isLongRunning'>> = {},
  ): Promise<HttpResponse> {
    const [prepared, credentials] = await this.#prepare(request);
    return this.#transport.open({ ...prepared, isLongRunning }, credentials);
  }

  async #prepare(request: ApiRequest): Promise<readonly [HttpRequest, Credentials]> {
    const { method, path, accept = 'application/json', signal } = request;
    if (this.#transport.closed) {
      throw closedError(request);
    }
    const credentials = await obtainCredentials(this.#credentials, request);
    // As Go writes it: the API server holds what it has stored raw, such as the data of a ControllerRevision, against that byte for byte.
    const body = request.body === undefined ? undefined : stringifyJson(request.body);
    const contentType =
      body === undefined ? undefined : (request.contentType ?? 'application/json');
    return [{ method, path, accept, body, contentType, isLongRunning: false, signal }, credentials];
  }
}

/** The body of an answer; throws ClusterError when it is not a success. */
export function bodyOf(subject: ErrorSubject, answer: ApiAnswer): JsonValue {
  if (!answer.isSuccess) {
    throw refusalError(subject, answer);
  }
  if (answer.body === undefined) {
    throw unexpectedAnswer(subject, 'the answer is not JSON');
  }
  return answer.body;
}

function answerOf({ status: httpStatus, headers, text }: HttpAnswer): ApiAnswer {
  return {
    httpStatus,
    isSuccess: isSuccess(httpStatus),
    body: parseBody(text),
    retryAfterMs: retryAfterMsOf(headers['retry-after']),
  };
}

async function readBy<T>(
  read: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  response: HttpResponse,
): Promise<ReadAnswer<T> | RefusingAnswer> {
  return isSuccess(response.status)
    ? { httpStatus: response.status, isSuccess: true, content: await read(response.body) }
    : { ...answerOf({ ...response, text: await response.text() }), isSuccess: false };
}

function retryFactsOf({
  httpStatus,
  retryAfterMs,
}: Refusal): Pick<Refusal, 'httpStatus' | 'retryAfterMs'> {
  return { httpStatus, retryAfterMs };
}

function retryability(error: unknown): { readonly isUnsent: boolean; readonly retryable: boolean } {
  if (isLifeboatError(error)) {
    return { isUnsent: true, retryable: false };
  }
  const { code, isUnsent, retryable } = connectionFailure(error);
  // A timeout has already taken as long as a caller can be asked to wait.
  return { isUnsent, retryable: retryable && code !== 'Timeout' };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function retryAfterMsOf(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') {
    return undefined;
  }
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
