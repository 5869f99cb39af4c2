import { randomUUID } from 'node:crypto';
import type { DriverPutOptions } from '@lifeboat/core';
import { Crc32c } from './crc32c.ts';
import { failureOf } from './errors.ts';
import { drain, MissingAnswerError } from './http-request.ts';
import { ReplayWindow } from './replay-window.ts';
import { bodyOf, type RequestBody } from './request-body.ts';
import { UploadSession } from './upload-session.ts';
import { graceMs, isStored, type UploadTarget } from './upload-target.ts';

/**
 * Uploads bytes with one request. The service compares their checksum and stores nothing when it differs.
 *
 * - An answer that is lost is no failure when the object turns out to have these very bytes.
 */
export async function uploadBytes(
  target: UploadTarget,
  bytes: Uint8Array,
  { contentType, ifAbsent, signal }: DriverPutOptions,
): Promise<void> {
  const { client, url, query, headers } = target;
  const boundary = `lifeboat-${randomUUID()}`;
  try {
    const response = await client.send({
      method: 'POST',
      url,
      query: { ...query, uploadType: 'multipart', ifGenerationMatch: ifAbsent ? '0' : undefined },
      headers: { ...headers, 'content-type': `multipart/related; boundary=${boundary}` },
      body: multipartOf(target.name, bytes, contentType, boundary),
      // Carried out twice, the second finds the object of the first and takes it for another writer's.
      repeatable: !ifAbsent,
      signal,
      graceMs,
    });
    await drain(response);
  } catch (error) {
    if (!(mayBeStored(error, ifAbsent, signal) && (await isStored(target, bytes)))) {
      throw error;
    }
  }
}

/** Uploads a stream: with one request if a part holds it, else through an upload session, of which a failure leaves nothing. */
export async function uploadStream(
  target: UploadTarget,
  body: AsyncIterable<Uint8Array>,
  partSizeBytes: number,
  options: DriverPutOptions,
): Promise<void> {
  const window = new ReplayWindow(body, 2 * partSizeBytes);
  await window.readTo(partSizeBytes + 1);
  if (window.end <= partSizeBytes) {
    await uploadBytes(target, window.bytes, options);
    return;
  }
  const session = await UploadSession.begin(target, options);
  await session.send(window);
}

/** The form of https://cloud.google.com/storage/docs/json_api/v1/how-tos/multipart-upload */
function multipartOf(
  name: string,
  bytes: Uint8Array,
  contentType: string,
  boundary: string,
): RequestBody {
  const checksum = new Crc32c();
  checksum.update(bytes);
  const metadata = JSON.stringify({ name, contentType, crc32c: checksum.toString() });
  return bodyOf(
    `--${boundary}\r\ncontent-type: application/json\r\n\r\n${metadata}\r\n` +
      `--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`,
    bytes,
    `\r\n--${boundary}--`,
  );
}

function mayBeStored(error: unknown, ifAbsent: boolean, signal: AbortSignal | undefined): boolean {
  return (
    error instanceof MissingAnswerError ||
    (ifAbsent && !signal?.aborted && failureOf(error).code === 'Unavailable')
  );
}
