import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type MultipartUpload,
  NoSuchUpload,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { UnfinishedUpload, UploadPage, UploadsDriver } from '@lifeboat/core';
import { abortOptions } from './request-fields.ts';

interface UploadsOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly pageSize: number;
}

/**
 * The requests about uploads that are not completed.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 */
export function unfinishedUploads({ client, bucket, pageSize }: UploadsOptions): UploadsDriver {
  return {
    async listPage(prefix, { continuation, signal }): Promise<UploadPage> {
      const page = await client.send(
        new ListMultipartUploadsCommand({
          Bucket: bucket,
          Prefix: prefix,
          MaxUploads: pageSize,
          ...markersOf(continuation),
        }),
        abortOptions(signal),
      );
      return {
        uploads: (page.Uploads ?? []).flatMap(uploadOf),
        continuation: page.IsTruncated === true ? continuationOf(page) : undefined,
      };
    },

    async remove({ key, uploadId }, signal): Promise<void> {
      const command = new AbortMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
      });
      try {
        await client.send(command, abortOptions(signal));
      } catch (error) {
        if (!(error instanceof NoSuchUpload)) {
          throw error;
        }
      }
    },
  };
}

// A page ends at an upload: one key may have several.
interface Markers {
  readonly NextKeyMarker?: string | undefined;
  readonly NextUploadIdMarker?: string | undefined;
}

function continuationOf({ NextKeyMarker, NextUploadIdMarker }: Markers): string {
  return JSON.stringify([NextKeyMarker, NextUploadIdMarker]);
}

function markersOf(continuation: string | undefined): {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
} {
  if (continuation === undefined) {
    return {};
  }
  const [key, uploadId] = JSON.parse(continuation) as readonly [string, string];
  return { KeyMarker: key, UploadIdMarker: uploadId };
}

function uploadOf({ Key, UploadId, Initiated }: MultipartUpload): readonly UnfinishedUpload[] {
  return Key === undefined || UploadId === undefined || Initiated === undefined
    ? []
    : [{ key: Key, uploadId: UploadId, startedAt: Initiated }];
}
