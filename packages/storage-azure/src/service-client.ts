import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { AzureAccess } from './options.ts';

/** The client of a storage account, or the application's own. */
export function serviceClientOf(access: AzureAccess): BlobServiceClient {
  if (access.client !== undefined) {
    return access.client;
  }
  if (access.connectionString !== undefined) {
    return BlobServiceClient.fromConnectionString(access.connectionString);
  }
  return new BlobServiceClient(
    access.endpoint,
    access.tokenCredential ?? new StorageSharedKeyCredential(access.accountName, access.accountKey),
  );
}
