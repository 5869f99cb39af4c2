import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BlockBlobClient } from '@azure/storage-blob';
import {
  type DriverPutOptions,
  finalRequest,
  holdsBytes,
  type ObjectBody,
  partsOf,
  type ReadableObject,
  uploadParts,
} from '@lifeboat/core';
import { isRefusedWrite } from './errors.ts';

/** How uploads are sent. */
export interface UploadSettings {
  readonly partSizeBytes: number;
  readonly singleRequestBytes: number;
  readonly concurrency: number;
  readonly encryptionScope: string | undefined;
}

/** Where and how an object is uploaded. */
export interface UploadTarget extends UploadSettings {
  readonly blob: BlockBlobClient;
  /** What stands there, to see whether a request came through that was cut off. */
  readonly objectSeenWith: (signal: AbortSignal) => ReadableObject;
}

interface WriteFields {
  readonly conditions: { readonly ifNoneMatch?: string };
  readonly blobHTTPHeaders: { readonly blobContentType: string };
  readonly encryptionScope?: string;
}

/** Uploads bytes: in one request, or in parts if they are too many for that. */
export async function uploadBytes(
  target: UploadTarget,
  bytes: Uint8Array,
  options: DriverPutOptions,
): Promise<void> {
  if (bytes.byteLength > target.singleRequestBytes) {
    await uploadInParts(target, bytes, options);
    return;
  }
  const isStored = (signal: AbortSignal): Promise<boolean> =>
    holdsBytes(target.objectSeenWith(signal), bytes);
  const fields = writeFieldsOf(target, options);
  const send = async (abortSignal: AbortSignal): Promise<void> => {
    let attempts = 0;
    const opened = (): Readable => {
      attempts += 1;
      return Readable.from([bytes]);
    };
    try {
      const body = options.ifAbsent ? opened : bytes;
      await target.blob.upload(body, bytes.byteLength, { ...fields, abortSignal });
    } catch (error) {
      // The client sends it again when the answer is lost, and the second one meets what the first has done.
      const mayBeOurs = attempts > 1 && isRefusedWrite(error);
      if (!(mayBeOurs && (await isStored(abortSignal)))) {
        throw error;
      }
    }
  };
  await finalRequest(send, { signal: options.signal, isStored });
}

/**
 * Uploads a body: with one request if a part holds it, else as blocks, which become the object with the list of them that is sent
 * last. Blocks without a list are seen by no reader, and the service drops them: at once when the object is written, else after a
 * week. It has no request for dropping them.
 */
export async function uploadInParts(
  target: UploadTarget,
  body: ObjectBody,
  options: DriverPutOptions,
): Promise<void> {
  const { blob, partSizeBytes, concurrency, encryptionScope } = target;
  const { signal } = options;
  const scope = encryptionScope === undefined ? {} : { encryptionScope };
  const uploadId = randomUUID();
  const blockIds: string[] = [];
  let whole: Uint8Array | undefined;
  await uploadParts(
    partsOf(body, partSizeBytes, signal),
    async ({ bytes, isLast }, number, abortSignal) => {
      if (number === 1 && isLast) {
        whole = bytes;
        return;
      }
      const blockId = blockIdOf(uploadId, number);
      blockIds[number - 1] = blockId;
      await blob.stageBlock(blockId, bytes, bytes.byteLength, { ...scope, abortSignal });
    },
    { concurrency, signal },
  );
  await (whole === undefined
    ? commit(target, blockIds, options)
    : uploadBytes({ ...target, singleRequestBytes: partSizeBytes }, whole, options));
}

/** Makes an object of blocks. */
async function commit(
  target: UploadTarget,
  blockIds: string[],
  options: DriverPutOptions,
): Promise<void> {
  const { blob } = target;
  const fields = writeFieldsOf(target, options);
  const isStored = async (abortSignal: AbortSignal): Promise<boolean> => {
    const { committedBlocks = [] } = await blob.getBlockList('committed', { abortSignal });
    return committedBlocks[0]?.name === blockIds[0];
  };
  const send = async (abortSignal: AbortSignal): Promise<void> => {
    try {
      await blob.commitBlockList(blockIds, { ...fields, abortSignal });
    } catch (error) {
      // The client sends it again when the answer is lost, and the second one meets what the first has done.
      if (!(isRefusedWrite(error) && (await isStored(abortSignal).catch(() => false)))) {
        throw error;
      }
    }
  };
  await finalRequest(send, { signal: options.signal, isStored });
}

function writeFieldsOf(
  { encryptionScope }: UploadTarget,
  { contentType, ifAbsent }: DriverPutOptions,
): WriteFields {
  return {
    conditions: ifAbsent ? { ifNoneMatch: '*' } : {},
    blobHTTPHeaders: { blobContentType: contentType },
    ...(encryptionScope !== undefined && { encryptionScope }),
  };
}

/**
 * All ids of a blob's blocks have to be of one length. They hold the id of the upload, so that of two writers of one key none
 * commits the blocks of the other.
 */
function blockIdOf(uploadId: string, number: number): string {
  return Buffer.from(`${uploadId}-${String(number).padStart(8, '0')}`).toString('base64');
}
