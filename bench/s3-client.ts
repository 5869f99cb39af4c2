import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3Server } from '../test/object-stores/servers.ts';
import { mebibyte } from './noise.ts';

const partBytes = 8 * mebibyte;
const partsAtATime = 4;

/** A client of a server of the tests. */
export function s3ClientOf(server: S3Server): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** A stream of unknown length as one writes it with the plain SDK, in parts. */
export async function sendInParts(
  client: S3Client,
  bucket: string,
  key: string,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const upload = { Bucket: bucket, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
  const sending = new Set<Promise<void>>();
  const parts: CompletedPart[] = [];
  const start = (number: number, bytes: Uint8Array): void => {
    const part = { ...upload, UploadId, PartNumber: number, Body: bytes };
    const sent = client.send(new UploadPartCommand(part)).then(({ ETag }) => {
      parts[number - 1] = { PartNumber: number, ETag };
      sending.delete(sent);
    });
    sending.add(sent);
  };
  let chunks: Uint8Array[] = [];
  let pendingBytes = 0;
  let number = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    pendingBytes += chunk.byteLength;
    if (pendingBytes >= partBytes) {
      if (sending.size >= partsAtATime) await Promise.race(sending);
      start((number += 1), Buffer.concat(chunks));
      chunks = [];
      pendingBytes = 0;
    }
  }
  if (pendingBytes > 0) start(number + 1, Buffer.concat(chunks));
  await Promise.all(sending);
  const all = { ...upload, UploadId, MultipartUpload: { Parts: parts } };
  await client.send(new CompleteMultipartUploadCommand(all));
}
