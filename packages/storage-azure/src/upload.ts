import { randomUUID } from 'node:crypto';
import type { BlockBlobClient } from '@azure/storage-blob';
import { type DriverPutOptions, type ObjectBody, partsOf, uploadParts } from '@lifeboat/core';

const commitWithinMs = 60_000;

/** How uploads are sent. */
export interface UploadSettings {
  readonly partSizeBytes: number;
  readonly concurrency: number;
  readonly encryptionScope: string | undefined;
}

interface WriteConditions {
  readonly conditions: { readonly ifNoneMatch?: string };
  readonly blobHTTPHeaders: { readonly blobContentType: string };
  readonly encryptionScope?: string;
  readonly abortSignal?: AbortSignal;
}

/**
 * Uploads a body: with one request if a part holds it, else as blocks, which become the object with the list of them that is sent
 * last. Blocks without a list are seen by no reader, and the service drops them: at once when the object is written, else after a
 * week. It has no request for dropping them.
 */
export async function uploadInParts(
  blob: BlockBlobClient,
  body: ObjectBody,
  { partSizeBytes, concurrency, encryptionScope }: UploadSettings,
  options: DriverPutOptions,
): Promise<void> {
  const scope = encryptionScope === undefined ? {} : { encryptionScope };
  const write = { ...scope, ...writeConditionsOf(options) };
  const uploadId = randomUUID();
  const blockIds: string[] = [];
  await uploadParts(
    partsOf(body, partSizeBytes, options.signal),
    async ({ bytes, isLast }, number, abortSignal) => {
      if (number === 1 && isLast) {
        await blob.upload(bytes, bytes.byteLength, { ...write, abortSignal });
        return;
      }
      const blockId = blockIdOf(uploadId, number);
      blockIds[number - 1] = blockId;
      await blob.stageBlock(blockId, bytes, bytes.byteLength, { ...scope, abortSignal });
    },
    { concurrency, signal: options.signal },
  );
  if (blockIds.length > 0) {
    options.signal?.throwIfAborted();
    // Not cut off by an abort, because then nobody could tell whether the object is there.
    const abortSignal = AbortSignal.timeout(commitWithinMs);
    await blob.commitBlockList(blockIds, { ...write, abortSignal });
  }
}

function writeConditionsOf({ contentType, ifAbsent, signal }: DriverPutOptions): WriteConditions {
  return {
    conditions: ifAbsent ? { ifNoneMatch: '*' } : {},
    blobHTTPHeaders: { blobContentType: contentType },
    ...(signal && { abortSignal: signal }),
  };
}

/**
 * All ids of a blob's blocks have to be of one length. They hold the id of the upload, so that of two writers of one key none
 * commits the blocks of the other.
 */
function blockIdOf(uploadId: string, number: number): string {
  return Buffer.from(`${uploadId}-${String(number).padStart(8, '0')}`).toString('base64');
}
