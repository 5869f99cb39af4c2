import { setTimeout as sleep } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';
import { CredentialsError, connectionCodeOf, failureOf, isTransient } from './errors.ts';
import { responseErrorOf } from './gcs-response-error.ts';
import { type HttpResponse, MissingAnswerError, sendHttp } from './http-request.ts';
import type { RequestBody } from './request-body.ts';

/** A request to Cloud Storage. */
export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the endpoint, `/storage/v1/b/…`, or a whole URL. */
  readonly url: string;
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RequestBody | undefined;
  readonly signal: AbortSignal | undefined;
  /** How long to wait for the answer when the abort comes after the whole request has been sent. @default 0 */
  readonly graceMs?: number | undefined;
  /** Statuses that are answers here, beside 2xx. */
  readonly accept?: readonly number[] | undefined;
  /** Whether it does no harm when the service has already carried it out. @default true */
  readonly repeatable?: boolean | undefined;
}

const firstPauseMs = 250;

/**
 * Sends requests with the endpoint, credentials and retry settings of a `Storage`. The client's own methods take no AbortSignal,
 * and what they have begun goes on after the caller has left; requests sent here end with the signal.
 */
export class GcsClient {
  readonly #storage: Storage;

  constructor(storage: Storage = new Storage()) {
    this.#storage = storage;
  }

  get storage(): Storage {
    return this.#storage;
  }

  /**
   * Sends a request, again after a pause when the failure is passing, as often as the client's `retryOptions` say.
   *
   * @throws {GcsResponseError} when the answer is neither 2xx nor accepted.
   */
  async send(request: GcsRequest): Promise<HttpResponse> {
    const { repeatable = true, signal } = request;
    for (let retry = 0; ; retry += 1) {
      try {
        return await this.sendOnce(request);
      } catch (error) {
        if (signal?.aborted) {
          throw error instanceof MissingAnswerError ? error : signal.reason;
        }
        const { code } = failureOf(error);
        if (
          retry >= this.retries ||
          !isTransient(error) ||
          !(repeatable || code === 'RateLimited')
        ) {
          throw error;
        }
        await this.pause(retry, error, signal);
      }
    }
  }

  /** How often a request is tried again. */
  get retries(): number {
    const { autoRetry = true, maxRetries = 3 } = this.#storage.retryOptions;
    return autoRetry ? maxRetries : 0;
  }

  /** Waits before a request is tried again, longer each time, and as long as the service has asked. */
  async pause(retry: number, error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const { maxRetryDelay = 64 } = this.#storage.retryOptions;
    const { retryAfterMs = 0 } = failureOf(error);
    const ms = Math.max(firstPauseMs * 2 ** retry * (1 + Math.random()), retryAfterMs);
    try {
      await sleep(Math.min(ms, maxRetryDelay * 1_000), undefined, { signal });
    } catch (failure) {
      signal?.throwIfAborted();
      throw failure;
    }
  }

  /** The address of an upload session as this machine reaches it: the service knows nothing of a proxy in front of it. */
  sessionUrl(location: string): string {
    const url = new URL(location, this.#storage.apiEndpoint);
    return this.#storage.customEndpoint
      ? this.#storage.apiEndpoint + url.pathname + url.search
      : url.href;
  }

  /** Sends a request, and does not try it again. */
  async sendOnce(request: GcsRequest): Promise<HttpResponse> {
    const { method, query = {}, headers = {}, body, signal, graceMs, accept = [] } = request;
    const url = new URL(request.url, this.#storage.apiEndpoint);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) {
        url.searchParams.set(name, value);
      }
    }
    const allHeaders = { ...headers, ...(await this.#credentials(url)) };
    const response = await sendHttp(url, { method, headers: allHeaders, body, signal, graceMs });
    const { status } = response;
    if (!(status >= 200 && status < 300) && !accept.includes(status)) {
      throw await responseErrorOf(response);
    }
    return response;
  }

  async #credentials(url: URL): Promise<Readonly<Record<string, string>>> {
    const { customEndpoint, useAuthWithCustomEndpoint, authClient } = this.#storage;
    // The rule of the client: an endpoint of one's own is an emulator unless it is said to check credentials.
    if (customEndpoint && useAuthWithCustomEndpoint !== true) {
      return {};
    }
    try {
      return Object.fromEntries(await authClient.getRequestHeaders(url.origin));
    } catch (error) {
      throw connectionCodeOf(error) === undefined ? new CredentialsError(error) : error;
    }
  }
}
