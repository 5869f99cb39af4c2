import { randomUUID } from 'node:crypto';
import { CRC32C } from '@google-cloud/storage';
import { type BodyPart, type DriverPutOptions, type ObjectBody, partsOf } from '@lifeboat/core';
import { isTransient } from './errors.ts';
import type { GcsClient } from './gcs-client.ts';

/** Where an upload goes and how. */
export interface UploadTarget {
  readonly client: GcsClient;
  /** `/upload/storage/v1/b/<bucket>/o`. */
  readonly url: string;
  readonly name: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The customer key, if there is one. */
  readonly headers: Readonly<Record<string, string>>;
}

const abandonWithinMs = 10_000;
const mostPartAttempts = 5;

/** Uploads bytes with one request. The service compares their checksum and stores nothing when it differs. */
async function uploadBytes(
  { client, url, name, query, headers }: UploadTarget,
  bytes: Uint8Array,
  { contentType, ifAbsent, signal }: DriverPutOptions,
): Promise<void> {
  const boundary = `lifeboat-${randomUUID()}`;
  const metadata = JSON.stringify({ name, contentType, crc32c: checksumOf(bytes) });
  const response = await client.send({
    method: 'POST',
    url,
    query: { ...query, uploadType: 'multipart', ifGenerationMatch: ifAbsent ? '0' : undefined },
    headers: { ...headers, 'content-type': `multipart/related; boundary=${boundary}` },
    body: Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-type: application/json\r\n\r\n${metadata}\r\n`),
      Buffer.from(`--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`),
      bytes,
      Buffer.from(`\r\n--${boundary}--`),
    ]),
    // Carried out twice, the second finds the object of the first and takes it for another writer's.
    repeatable: !ifAbsent,
    signal,
  });
  await response.body?.cancel();
}

/** Uploads a body: with one request if a part holds it, else through an upload session, part after part. */
export async function uploadInParts(
  target: UploadTarget,
  body: ObjectBody,
  partSizeBytes: number,
  options: DriverPutOptions,
): Promise<void> {
  let session: UploadSession | undefined;
  try {
    for await (const part of partsOf(body, partSizeBytes, options.signal)) {
      if (session === undefined && part.isLast) {
        await uploadBytes(target, part.bytes, options);
        return;
      }
      session ??= await UploadSession.begin(target, options);
      await session.send(part);
    }
  } catch (error) {
    await session?.abandon();
    throw error;
  }
}

/** An upload session of Cloud Storage: what it has taken becomes an object with the last part, and not before. */
class UploadSession {
  readonly #target: UploadTarget;
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;
  readonly #checksum = new CRC32C();
  #sentBytes = 0;

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
      body: JSON.stringify({ name, contentType }),
      signal,
    });
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (location === null) {
      throw new Error('Cloud Storage has begun an upload and not told its address');
    }
    return new UploadSession(target, client.sessionUrl(location), signal);
  }

  /** Sends a part, and again what the service has not kept of it. */
  async send(part: BodyPart): Promise<void> {
    const start = this.#sentBytes;
    const end = start + part.bytes.byteLength;
    this.#checksum.update(Buffer.from(part.bytes.buffer, part.bytes.byteOffset, end - start));
    for (let attempt = 1; this.#sentBytes < end; attempt += 1) {
      const before = this.#sentBytes;
      const rest = part.bytes.subarray(before - start);
      try {
        this.#sentBytes = await this.#put(rest, part.isLast ? end : undefined);
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (attempt >= mostPartAttempts || !isTransient(error)) {
          throw error;
        }
        this.#sentBytes = await this.#keptBytes(end);
      }
      if (this.#sentBytes < start || (this.#sentBytes === before && attempt >= mostPartAttempts)) {
        throw new Error('Cloud Storage does not keep what is uploaded');
      }
    }
  }

  /** Tells the service to forget the upload. It succeeds even when that fails: the service forgets it after a week. */
  async abandon(): Promise<void> {
    const signal = AbortSignal.timeout(abandonWithinMs);
    await this.#target.client
      // 499 is the answer that the upload was cancelled.
      .send({ method: 'DELETE', url: this.#url, accept: [404, 410, 499], signal })
      .then((response) => response.body?.cancel())
      .catch(() => undefined);
  }

  /** Returns how many bytes of the whole body the service has afterwards. */
  async #put(bytes: Uint8Array, totalBytes: number | undefined): Promise<number> {
    const last = this.#sentBytes + bytes.byteLength - 1;
    const checksum: Readonly<Record<string, string>> =
      totalBytes === undefined ? {} : { 'x-goog-hash': `crc32c=${this.#checksum.toString()}` };
    return this.#keptAfter(last + 1, {
      headers: { ...checksum, 'content-range': rangeOf(this.#sentBytes, last, totalBytes) },
      body: Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength),
      // What became of a part whose answer is lost has to be asked first.
      repeatable: false,
    });
  }

  async #keptBytes(end: number): Promise<number> {
    return this.#keptAfter(end, { headers: { 'content-range': 'bytes */*' } });
  }

  async #keptAfter(
    end: number,
    request: {
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: Uint8Array<ArrayBuffer>;
      readonly repeatable?: boolean;
    },
  ): Promise<number> {
    const response = await this.#target.client.send({
      method: 'PUT',
      url: this.#url,
      accept: [308],
      signal: this.#signal,
      ...request,
      headers: { ...this.#target.headers, ...request.headers },
    });
    await response.body?.cancel();
    return response.status === 308 ? keptBytesOf(response.headers.get('range')) : end;
  }
}

function rangeOf(first: number, last: number, totalBytes: number | undefined): string {
  return `bytes ${first}-${last}/${totalBytes ?? '*'}`;
}

/** From `bytes=0-N`; without the header nothing has been kept. */
function keptBytesOf(range: string | null): number {
  const [, last] = /^bytes=0-(\d+)$/.exec(range ?? '') ?? [];
  return last === undefined ? 0 : Number(last) + 1;
}

function checksumOf(bytes: Uint8Array): string {
  const checksum = new CRC32C();
  checksum.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return checksum.toString();
}
