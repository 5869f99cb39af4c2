import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
  NoSuchUpload,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandOutput,
} from '@aws-sdk/client-s3';
import {
  type BodyPart,
  type DriverPutOptions,
  delayedSignal,
  type ObjectBody,
  partsOf,
  uploadParts,
} from '@lifeboat/core';
import { answerOf, unusable } from './errors.ts';
import { mostParts, type S3ChecksumAlgorithm } from './options.ts';
import type { RequestFields } from './request-fields.ts';

/** Where and how a body is uploaded. */
export interface UploadTarget {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly fields: RequestFields;
  readonly checksumAlgorithm: S3ChecksumAlgorithm | undefined;
  readonly partSizeBytes: number;
  readonly concurrency: number;
  /** Stores what fits into one part. */
  readonly putWhole: (bytes: Uint8Array) => Promise<void>;
}

/** How long a request under way may still take when the call is aborted. */
const graceMs = 5_000;
const undoWithinMs = 15_000;
const undoPausesMs = [0, 100, 300, 1_000, 3_000];
// By this metadata an object is known to be that of an upload.
const markName = 'lifeboat-upload';

/**
 * Uploads a body of any length: in one request if it fits into a part, else in parts. An upload that fails or is aborted is
 * undone.
 */
export async function upload(
  target: UploadTarget,
  body: ObjectBody,
  options: DriverPutOptions,
): Promise<void> {
  const parts = partsOf(body, target.partSizeBytes, options.signal);
  try {
    const first = await parts.next();
    if (first.done === true || first.value.isLast) {
      await target.putWhole(first.done === true ? new Uint8Array() : first.value.bytes);
    } else {
      await uploadInParts(target, startingWith(first.value, parts), options);
    }
  } finally {
    // Not awaited: what hangs is ended by its owner.
    parts.return(undefined).catch(() => undefined);
  }
}

async function uploadInParts(
  target: UploadTarget,
  parts: AsyncIterable<BodyPart>,
  options: DriverPutOptions,
): Promise<void> {
  const { concurrency } = target;
  const { signal } = options;
  const mark = randomUUID();
  const uploadId = await begin(target, mark, options);
  let isCompleting = false;
  try {
    const completed: CompletedPart[] = [];
    const send = async (part: BodyPart, number: number, partSignal: AbortSignal): Promise<void> => {
      completed[number - 1] = await sendPart(target, uploadId, part, number, partSignal);
    };
    await uploadParts(parts, send, { concurrency, signal });
    signal?.throwIfAborted();
    isCompleting = true;
    await complete(target, uploadId, completed, options);
  } catch (error) {
    await undo(target, uploadId);
    // Now that the upload is gone nothing can come of it any more. If it has become the object before, only the answer was lost.
    if (!(isCompleting && mayHaveCompleted(error) && (await isMarked(target, mark)))) {
      throw error;
    }
  }
}

/** Begins an upload. If it were cut off, an upload might exist whose id nobody knows. */
async function begin(
  { client, bucket, key, fields, checksumAlgorithm }: UploadTarget,
  mark: string,
  { contentType, signal }: DriverPutOptions,
): Promise<string> {
  using late = delayedSignal(signal, graceMs);
  const { UploadId: uploadId } = await client.send(
    new CreateMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      ContentType: contentType,
      ChecksumAlgorithm: checksumAlgorithm,
      Metadata: { [markName]: mark },
      ...fields.write,
    }),
    { abortSignal: late.signal },
  );
  if (uploadId === undefined) {
    throw new Error('the server has begun an upload and not told its id');
  }
  return uploadId;
}

/** Sends a part. If it were cut off, it might arrive after the upload has been removed, and stay. */
async function sendPart(
  { client, bucket, key, fields, checksumAlgorithm, partSizeBytes }: UploadTarget,
  uploadId: string,
  { bytes }: BodyPart,
  number: number,
  signal: AbortSignal,
): Promise<CompletedPart> {
  if (number > mostParts) {
    const reason = `${key} has more than ${mostParts} parts of ${partSizeBytes} bytes; raise partSizeBytes`;
    throw unusable('ObjectStore.put', reason, key);
  }
  using late = delayedSignal(signal, graceMs);
  const output = await client.send(
    new UploadPartCommand({
      Bucket: bucket,
      Key: key,
      UploadId: uploadId,
      PartNumber: number,
      Body: bytes,
      ContentLength: bytes.byteLength,
      ChecksumAlgorithm: checksumAlgorithm,
      ...fields.customerKey,
    }),
    { abortSignal: late.signal },
  );
  return { PartNumber: number, ETag: output.ETag, ...checksumsOf(output) };
}

function checksumsOf(output: UploadPartCommandOutput): Partial<CompletedPart> {
  return {
    ChecksumCRC32: output.ChecksumCRC32,
    ChecksumCRC32C: output.ChecksumCRC32C,
    ChecksumSHA1: output.ChecksumSHA1,
    ChecksumSHA256: output.ChecksumSHA256,
  };
}

/** Makes the object visible. If it were cut off, nobody could tell whether it is. */
async function complete(
  { client, bucket, key, fields }: UploadTarget,
  uploadId: string,
  parts: CompletedPart[],
  { ifAbsent, signal }: DriverPutOptions,
): Promise<void> {
  using late = delayedSignal(signal, graceMs);
  await client.send(
    new CompleteMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      UploadId: uploadId,
      MultipartUpload: { Parts: parts },
      ...(ifAbsent && { IfNoneMatch: '*' }),
      ...fields.customerKey,
    }),
    { abortSignal: late.signal },
  );
}

/** Whether the server may have completed an upload although the client says that it failed: it did not answer, or was asked again. */
function mayHaveCompleted(error: unknown): boolean {
  const { httpStatusCode = 500, attempts = 1 } = answerOf(error);
  return httpStatusCode >= 500 || attempts > 1;
}

/** Whether the object is the one of an upload. A server that does not tell counts as no. */
async function isMarked(
  { client, bucket, key, fields }: UploadTarget,
  mark: string,
): Promise<boolean> {
  const command = new HeadObjectCommand({ Bucket: bucket, Key: key, ...fields.customerKey });
  try {
    const { Metadata: metadata = {} } = await client.send(command, {
      abortSignal: AbortSignal.timeout(undoWithinMs),
    });
    return metadata[markName] === mark;
  } catch {
    return false;
  }
}

/**
 * Removes an upload. A part that was cut off all the same may still be on its way into the server: removing the upload then fails,
 * or leaves that part, so it is looked for and removed again.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
 */
async function undo({ client, bucket, key }: UploadTarget, uploadId: string): Promise<void> {
  const upload = { Bucket: bucket, Key: key, UploadId: uploadId };
  const options = { abortSignal: AbortSignal.timeout(undoWithinMs) };
  for (const pauseMs of undoPausesMs) {
    await setTimeout(pauseMs);
    try {
      await client.send(new AbortMultipartUploadCommand(upload), options);
      await client.send(new ListPartsCommand({ ...upload, MaxParts: 1 }), options);
    } catch (error) {
      if (error instanceof NoSuchUpload) {
        return;
      }
      // What made the upload fail counts. A rule of the bucket that removes unfinished uploads catches this one.
    }
  }
}

async function* startingWith(
  first: BodyPart,
  rest: AsyncGenerator<BodyPart>,
): AsyncGenerator<BodyPart> {
  yield first;
  yield* rest;
}
