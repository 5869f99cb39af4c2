import { createHash } from 'node:crypto';
import type { GcsClient } from './gcs-client.ts';
import { type HttpResponse, textOf } from './http-request.ts';

/** Where an upload goes and how. */
export interface UploadTarget {
  readonly client: GcsClient;
  /** `/upload/storage/v1/b/<bucket>/o`. */
  readonly url: string;
  /** `/storage/v1/b/<bucket>/o/<name>`. */
  readonly objectUrl: string;
  readonly name: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The customer key, if there is one. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the service says of an object it has stored. */
export interface StoredObject {
  /** Names this write of the object and no other. */
  readonly generation?: string;
  readonly size?: string;
  readonly crc32c?: string;
  readonly md5Hash?: string;
}

/** How long the request that makes an object visible may still take when the call is aborted. */
export const graceMs = 5_000;
const lookWithinMs = 10_000;

export async function storedObjectOf(response: HttpResponse): Promise<StoredObject> {
  const text = await textOf(response);
  return text === '' ? {} : (JSON.parse(text) as StoredObject);
}

/** Whether the object has these very bytes, when the answer to their upload was lost. What cannot be asked is no. */
export async function isStored(
  { client, objectUrl, query, headers }: UploadTarget,
  bytes: Uint8Array,
): Promise<boolean> {
  try {
    const { userProject } = query;
    const response = await client.sendOnce({
      method: 'GET',
      url: objectUrl,
      query: { userProject, fields: 'size,md5Hash' },
      headers,
      signal: AbortSignal.timeout(lookWithinMs),
    });
    const { size, md5Hash } = await storedObjectOf(response);
    return (
      Number(size) === bytes.byteLength &&
      md5Hash === createHash('md5').update(bytes).digest('base64')
    );
  } catch {
    return false;
  }
}

/** Deletes what an upload has stored, unless another writer has replaced it since. A failure is nothing that could be mended. */
export async function removeStored(
  { client, objectUrl, query }: UploadTarget,
  { generation }: StoredObject,
): Promise<void> {
  const { userProject } = query;
  await client
    .send({
      method: 'DELETE',
      url: objectUrl,
      query: { userProject, ifGenerationMatch: generation },
      signal: AbortSignal.timeout(lookWithinMs),
    })
    .then(({ body }) => body.destroy())
    .catch(() => undefined);
}
