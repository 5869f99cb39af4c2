import { createHash, randomBytes } from 'node:crypto';
import { CRC32C, Storage } from '@google-cloud/storage';
import { GcsObjectStore } from '@lifeboat/storage-gcs';
import {
  type HttpResponder,
  type Response,
  type SeenRequest,
  startHttpResponder,
} from './http-responder.ts';

/** How much of a stream the store keeps at least. */
export const partSizeBytes: number = 256 * 1024;
/** A body that a part does not hold. */
export const bytes: Buffer = randomBytes(partSizeBytes + 1);
export const length: number = bytes.length;
/** The answer that a session has begun. */
export const begun = (url: string): Response => ({
  status: 200,
  headers: { location: `${url}&upload_id=7` },
});
/** The answer of a session that has so many bytes. */
export const keptTo = (kept: number): Response => ({
  status: 308,
  headers: kept === 0 ? {} : { range: `bytes=0-${kept - 1}` },
});

/** The answer that the body has become an object. */
export function stored(change: Readonly<Record<string, string>> = {}): Response {
  const checksum = new CRC32C();
  checksum.update(bytes);
  const object = { generation: '42', size: `${length}`, crc32c: checksum.toString(), ...change };
  return { status: 200, body: JSON.stringify(object) };
}

export function md5Of(content: Uint8Array): string {
  return createHash('md5').update(content).digest('base64');
}

export function open({ endpoint }: Pick<HttpResponder, 'endpoint'>): GcsObjectStore {
  const retryOptions = { maxRetries: 3, maxRetryDelay: 0.001 };
  const client = new Storage({ apiEndpoint: endpoint, projectId: 'test', retryOptions });
  return new GcsObjectStore({ bucket: 'backups', client, partSizeBytes });
}

export async function* streamOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** A server that answers the requests of a session in turn, the last answer again and again. */
export function session(
  ...answers: readonly (Response | ((request: SeenRequest) => Response))[]
): Promise<HttpResponder> {
  let count = 0;
  return startHttpResponder((request) => {
    if (request.method === 'POST') return begun(request.url);
    const answer = answers[Math.min(count, answers.length - 1)] ?? { status: 500 };
    count += 1;
    return typeof answer === 'function' ? answer(request) : answer;
  });
}

/** What the requests after the first say of their bytes, or their method. */
export function ranges({ requests }: HttpResponder): readonly unknown[] {
  return requests.slice(1).map(({ method, headers }) => headers['content-range'] ?? method);
}
