import { DrivenObjectStore } from '@lifeboat/core';
import { unusable } from './errors.ts';
import {
  longestSingleRequestBytes,
  type S3ObjectStoreOptions,
  smallestPartSizeBytes,
} from './options.ts';
import { S3Driver } from './s3-driver.ts';

/**
 * Keeps backups in a bucket of Amazon S3 or of a server that speaks its protocol.
 *
 * - Streams are uploaded in parts; an upload that fails or is aborted is removed. What a crash leaves is invisible but is paid
 *   for: give the bucket a lifecycle rule that aborts incomplete uploads.
 * - In a bucket with versioning a deleted or replaced object stays as an older version; object lock keeps versions, so `delete`
 *   of a locked object succeeds and hides it.
 * - A missing object is told as PermissionDenied to credentials that may not list the bucket.
 *
 * @example
 * ```ts
 * await using store = new S3ObjectStore({
 *   bucket: 'backups',
 *   prefix: 'prod-eu/',
 *   clientConfig: { region: 'eu-west-1' },
 * });
 * ```
 */
export class S3ObjectStore extends DrivenObjectStore {
  /** @throws {ObjectStoreError} code InvalidConfig, naming every option that cannot be used. */
  constructor(options: S3ObjectStoreOptions) {
    assertUsable(options);
    super(new S3Driver(options), { stalledAfterMs: options.stalledAfterMs });
  }
}

function assertUsable(options: S3ObjectStoreOptions): void {
  const { bucket, prefix = '', partSizeBytes, concurrency, pageSize } = options;
  const { singleRequestBytes = 0 } = options;
  const problems = [
    bucket === '' && 'bucket is empty',
    prefix !== '' && !prefix.endsWith('/') && 'prefix does not end with "/"',
    prefix.startsWith('/') && 'prefix starts with "/"',
    partSizeBytes !== undefined &&
      !(Number.isInteger(partSizeBytes) && partSizeBytes >= smallestPartSizeBytes) &&
      `partSizeBytes is not at least ${smallestPartSizeBytes}`,
    !(singleRequestBytes >= 0 && singleRequestBytes <= longestSingleRequestBytes) &&
      `singleRequestBytes is not from 0 to ${longestSingleRequestBytes}`,
    concurrency !== undefined &&
      !(Number.isInteger(concurrency) && concurrency > 0) &&
      'concurrency is not at least 1',
    pageSize !== undefined &&
      !(Number.isInteger(pageSize) && pageSize > 0 && pageSize <= 1_000) &&
      'pageSize is not from 1 to 1,000',
  ].filter((problem) => problem !== false);
  if (problems.length > 0) {
    throw unusable('S3ObjectStore', problems.join('; '), bucket);
  }
}
