import { setTimeout as sleep } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';
import { CredentialsError, connectionCodeOf, failureOf, isTransient } from './errors.ts';
import { responseErrorOf } from './gcs-response-error.ts';

/** A request to Cloud Storage. */
export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the endpoint, `/storage/v1/b/…`, or a whole URL. */
  readonly url: string;
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array<ArrayBuffer> | string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Statuses that are answers here, beside 2xx. */
  readonly accept?: readonly number[] | undefined;
  /** Whether it does no harm when the service has already carried it out. @default true */
  readonly repeatable?: boolean | undefined;
}

const firstPauseMs = 250;

/**
 * Sends requests with the endpoint, credentials and retry settings of a `Storage`. The client's own methods take no AbortSignal,
 * and what they have begun goes on after the caller has left; requests of `fetch` end with the signal.
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
  async send(request: GcsRequest): Promise<Response> {
    const { repeatable = true, signal } = request;
    const { autoRetry = true, maxRetries = 3, maxRetryDelay = 64 } = this.#storage.retryOptions;
    const retries = autoRetry ? maxRetries : 0;
    for (let retry = 0; ; retry += 1) {
      try {
        return await this.#sendOnce(request);
      } catch (error) {
        signal?.throwIfAborted();
        const { code, retryAfterMs = 0 } = failureOf(error);
        if (retry >= retries || !isTransient(error) || !(repeatable || code === 'RateLimited')) {
          throw error;
        }
        const pauseMs = firstPauseMs * 2 ** retry * (1 + Math.random());
        await pause(Math.min(Math.max(pauseMs, retryAfterMs), maxRetryDelay * 1_000), signal);
      }
    }
  }

  /** The address of an upload session as this machine reaches it: the service knows nothing of a proxy in front of it. */
  sessionUrl(location: string): string {
    const url = new URL(location, this.#storage.apiEndpoint);
    return this.#storage.customEndpoint
      ? this.#storage.apiEndpoint + url.pathname + url.search
      : url.href;
  }

  async #sendOnce(request: GcsRequest): Promise<Response> {
    const { method, query = {}, headers = {}, body, signal, accept = [] } = request;
    const url = new URL(request.url, this.#storage.apiEndpoint);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) {
        url.searchParams.set(name, value);
      }
    }
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(await this.#credentials(url)) },
      body: body ?? null,
      // An upload session answers 308 for "go on".
      redirect: 'manual',
      signal: signal ?? null,
    });
    if (!response.ok && !accept.includes(response.status)) {
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

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
