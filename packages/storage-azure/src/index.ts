/**
 * Keeps Lifeboat backups in Azure Blob Storage.
 *
 * @example
 * ```ts
 * import { AzureObjectStore } from '@lifeboat/storage-azure';
 *
 * await using store = new AzureObjectStore({
 *   container: 'backups',
 *   prefix: 'prod-eu/',
 *   access: { connectionString },
 * });
 * ```
 *
 * @module
 */
export { AzureObjectStore } from './azure-object-store.ts';
export {
  type AzureLocationOptions,
  azureObjectStoreFromLocation,
} from './from-backup-storage-location.ts';
export type { AzureAccess, AzureObjectStoreOptions, AzureTokenCredential } from './options.ts';
