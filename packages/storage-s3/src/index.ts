/**
 * Keeps Lifeboat backups in Amazon S3 and in object stores that speak its protocol.
 *
 * @example
 * ```ts
 * import { createEngine } from '@lifeboat/core';
 * import { S3ObjectStore } from '@lifeboat/storage-s3';
 *
 * await using store = new S3ObjectStore({
 *   bucket: 'backups',
 *   prefix: 'prod-eu/',
 *   clientConfig: { region: 'eu-west-1' },
 * });
 * const engine = createEngine({ ...connection, store });
 * ```
 *
 * @module
 */
export {
  type S3LocationOptions,
  s3ObjectStoreFromLocation,
} from './from-backup-storage-location.ts';
export type {
  S3BucketOptions,
  S3ChecksumAlgorithm,
  S3Encryption,
  S3ObjectStoreOptions,
} from './options.ts';
export { S3ObjectStore } from './s3-object-store.ts';
