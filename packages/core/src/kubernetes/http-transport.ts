import type { Credentials } from './request-credentials.ts';

/** A request to an API server. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, from the root of the API. */
  readonly path: string;
  readonly accept: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  /** A watch: it stays open for minutes, so it does not take one of the bounded connections. */
  readonly isLongRunning: boolean;
  readonly signal?: AbortSignal | undefined;
}

interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An answer that was read to its end. */
export interface HttpAnswer extends AnswerHead {
  /** The body; what is not UTF-8 in it is U+FFFD. */
  readonly text: string;
}

/** An answer whose body is yet to be read. */
export interface HttpResponse extends AnswerHead {
  /** The body; leaving the loop early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body as text. */
  text(): Promise<string>;
}

/** Sends requests to one API server. It neither retries nor reads answers. */
export interface HttpTransport {
  /** Address of the server, without credentials. */
  readonly location: string;
  /** How the server is reached, for people: its location, and the proxy on the way. @default the location */
  readonly route?: string | undefined;
  /** Whether `close` has been called. */
  readonly closed: boolean;
  /** Aborts when `close` is called. */
  readonly closing: AbortSignal;
  /** Sends a request and reads the whole answer. Rejects only when there is none, with the error of the connection as it is. */
  exchange(request: HttpRequest, credentials: Credentials): Promise<HttpAnswer>;
  /** Sends a request whose answer is read piece by piece. Rejects as {@link HttpTransport.exchange} does. */
  open(request: HttpRequest, credentials: Credentials): Promise<HttpResponse>;
  /** Cuts every connection; repeated calls do nothing. */
  close(): Promise<void>;
}
