import type { BlobServiceClient } from '@azure/storage-blob';

/** A source of Microsoft Entra tokens: any credential of `@azure/identity`. */
export interface AzureTokenCredential {
  getToken(
    scopes: string | string[],
    options?: object,
  ): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>;
}

/** How the storage account is reached: exactly one of four ways. */
export type AzureAccess =
  | {
      /** With an account key or a shared access signature in it. */
      readonly connectionString: string;
      readonly endpoint?: never;
      readonly accountName?: never;
      readonly accountKey?: never;
      readonly tokenCredential?: never;
      readonly client?: never;
    }
  | {
      /** `https://<account>.blob.core.windows.net`. */
      readonly endpoint: string;
      readonly accountName: string;
      readonly accountKey: string;
      readonly connectionString?: never;
      readonly tokenCredential?: never;
      readonly client?: never;
    }
  | {
      /** `https://<account>.blob.core.windows.net`. */
      readonly endpoint: string;
      readonly tokenCredential: AzureTokenCredential;
      readonly connectionString?: never;
      readonly accountName?: never;
      readonly accountKey?: never;
      readonly client?: never;
    }
  | {
      /** The application's own client, with its retry settings; it stays the application's. */
      readonly client: BlobServiceClient;
      readonly connectionString?: never;
      readonly endpoint?: never;
      readonly accountName?: never;
      readonly accountKey?: never;
      readonly tokenCredential?: never;
    };

/** Options of {@link AzureObjectStore}. */
export interface AzureObjectStoreOptions {
  readonly container: string;
  readonly access: AzureAccess;
  /** Before every key: `''` or a text that ends in `/`. @default '' */
  readonly prefix?: string | undefined;
  /** The encryption scope that objects are written with. @default the container's default */
  readonly encryptionScope?: string | undefined;
  /**
   * How many bytes of a stream are uploaded at a time, up to 4,194,304,000. An object has at most 50,000 such parts.
   * @default 4_194_304
   */
  readonly partSizeBytes?: number | undefined;
  /**
   * Up to how many bytes a body in memory is uploaded in one request instead of in parts; at most 5,000 MiB. A request that fails
   * is sent again from its start.
   * @default 268_435_456, 256 MiB
   */
  readonly singleRequestBytes?: number | undefined;
  /** How many parts of one upload are sent at a time; each is held in memory meanwhile. @default 3 */
  readonly concurrency?: number | undefined;
  /** How long a read waits for the next bytes before it rejects with Unavailable. @default 60_000 */
  readonly stalledAfterMs?: number | undefined;
}

export const defaultPartSizeBytes: number = 4 * 1024 * 1024;
export const longestPartBytes: number = 4_000 * 1024 * 1024;
// https://learn.microsoft.com/rest/api/storageservices/put-blob#remarks
export const longestSingleRequestBytes: number = 5_000 * 1024 * 1024;
export const defaultSingleRequestBytes: number = 256 * 1024 * 1024;
export const defaultConcurrency: number = 3;
