import type { DriverPutOptions } from '@lifeboat/core';
import { ChangedBytesError, isTransient } from './errors.ts';
import { drain, type HttpResponse, MissingAnswerError } from './http-request.ts';
import type { ReplayWindow } from './replay-window.ts';
import { bodyOf } from './request-body.ts';
import {
  graceMs,
  removeStored,
  type StoredObject,
  storedObjectOf,
  type UploadTarget,
} from './upload-target.ts';

const abandonWithinMs = 10_000;

/**
 * An upload session of Cloud Storage: what it has taken becomes an object with the end of the stream, and not before.
 *
 * The stream is sent with one request. When its connection breaks, the service says how much it has kept, and the rest is sent
 * with another one if the window still holds it.
 */
export class UploadSession {
  readonly #target: UploadTarget;
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;

  private constructor(target: UploadTarget, url: string, signal: AbortSignal | undefined) {
    this.#target = target;
    this.#url = url;
    this.#signal = signal;
  }

  static async begin(
    target: UploadTarget,
    { contentType, ifAbsent, signal }: DriverPutOptions,
  ): Promise<UploadSession> {
    const { client, url, name, query, headers } = target;
    const response = await client.send({
      method: 'POST',
      url,
      query: {
        ...query,
        uploadType: 'resumable',
        name,
        ifGenerationMatch: ifAbsent ? '0' : undefined,
      },
      headers: {
        ...headers,
        'content-type': 'application/json',
        'x-upload-content-type': contentType,
      },
      body: bodyOf(JSON.stringify({ name, contentType })),
      signal,
    });
    await drain(response);
    const { location } = response.headers;
    if (location === undefined) {
      throw new Error('Cloud Storage has begun an upload and not told its address');
    }
    return new UploadSession(target, client.sessionUrl(location), signal);
  }

  /** Sends the whole stream and compares what was stored with it. A failure or an abort leaves nothing. */
  async send(window: ReplayWindow): Promise<void> {
    let stored: StoredObject;
    try {
      stored = await storedObjectOf(await this.#sendAll(window));
    } catch (error) {
      await this.#abandon();
      throw error;
    }
    const { size = String(window.end), crc32c = window.checksum } = stored;
    // Only now is the checksum known: the head of the request, which could have told it, was sent first.
    if (!window.isComplete || size !== String(window.end) || crc32c !== window.checksum) {
      await removeStored(this.#target, stored);
      throw new ChangedBytesError(
        'what Cloud Storage has stored differs from what was sent, and was removed again; try once more',
      );
    }
  }

  /** Sends the stream until it is an object, and returns the answer that says so. */
  async #sendAll(window: ReplayWindow): Promise<HttpResponse> {
    const { client } = this.#target;
    let keptBytes = 0;
    for (let failures = 1; ; failures += 1) {
      const bytes = window.from(keptBytes);
      try {
        return await this.#put(keptBytes, window, bytes);
      } catch (error) {
        await this.#assertMayGoOn(error, window, bytes);
        const answer = await this.#ask(window);
        if (answer.status !== 308) {
          return answer;
        }
        await drain(answer);
        const before = keptBytes;
        keptBytes = keptBytesOf(answer.headers.range);
        failures = keptBytes > before ? 0 : failures;
        const isHeld = keptBytes >= window.start && keptBytes <= window.end;
        if (failures > client.retries || !isHeld) {
          throw error;
        }
        await client.pause(failures, error, this.#signal);
      }
    }
  }

  /** Throws unless the request has failed in a way that passes, and the stream is not at fault. */
  async #assertMayGoOn(
    error: unknown,
    window: ReplayWindow,
    bytes: AsyncGenerator<Uint8Array>,
  ): Promise<void> {
    if (error instanceof MissingAnswerError) {
      return;
    }
    this.#signal?.throwIfAborted();
    if (!isTransient(error)) {
      throw error;
    }
    // What was being read when the connection broke is waited for: nothing could be sent before.
    await bytes.return(undefined);
    this.#signal?.throwIfAborted();
    if (window.failure !== undefined) {
      throw window.failure.error;
    }
  }

  #put(
    keptBytes: number,
    window: ReplayWindow,
    bytes: AsyncGenerator<Uint8Array>,
  ): Promise<HttpResponse> {
    const { end, isComplete } = window;
    const range = isComplete ? rangeOf(keptBytes, end) : `bytes ${keptBytes}-*/*`;
    return this.#target.client.sendOnce({
      method: 'PUT',
      url: this.#url,
      headers: { ...this.#target.headers, 'content-range': range },
      body: { sizeBytes: isComplete ? end - keptBytes : undefined, read: () => bytes },
      signal: this.#signal,
      graceMs,
    });
  }

  /** Asks what has become of the upload: 308 while it is none, else the object. */
  async #ask({ isComplete, end }: ReplayWindow): Promise<HttpResponse> {
    const answer = await this.#target.client.send({
      method: 'PUT',
      url: this.#url,
      headers: { ...this.#target.headers, 'content-range': `bytes */${isComplete ? end : '*'}` },
      signal: this.#signal?.aborted ? AbortSignal.timeout(abandonWithinMs) : this.#signal,
      accept: [308],
    });
    if (answer.status === 308 && this.#signal?.aborted) {
      answer.body.destroy();
      throw this.#signal.reason;
    }
    return answer;
  }

  /** Tells the service to forget the upload. It succeeds even when that fails: the service forgets it after a week. */
  async #abandon(): Promise<void> {
    await this.#target.client
      .send({
        method: 'DELETE',
        url: this.#url,
        // 499 is the answer that the upload was cancelled.
        accept: [404, 410, 499],
        signal: AbortSignal.timeout(abandonWithinMs),
      })
      .then(drain)
      .catch(() => undefined);
  }
}

function rangeOf(start: number, end: number): string {
  return start === end ? `bytes */${end}` : `bytes ${start}-${end - 1}/${end}`;
}

/** From `bytes=0-N`; without the header nothing has been kept. */
function keptBytesOf(range: string | undefined): number {
  const [, last] = /^bytes=0-(\d+)$/.exec(range ?? '') ?? [];
  return last === undefined ? 0 : Number(last) + 1;
}
