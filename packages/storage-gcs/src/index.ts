/**
 * Keeps Lifeboat backups in Google Cloud Storage.
 *
 * @example
 * ```ts
 * import { GcsObjectStore } from '@lifeboat/storage-gcs';
 *
 * await using store = new GcsObjectStore({ bucket: 'backups', prefix: 'prod-eu/' });
 * ```
 *
 * @module
 */
export {
  type GcsLocationOptions,
  gcsObjectStoreFromLocation,
} from './from-backup-storage-location.ts';
export { GcsObjectStore } from './gcs-object-store.ts';
export type { GcsEncryption, GcsObjectStoreOptions } from './options.ts';
