import type { Storage } from '@google-cloud/storage';

/** How objects are encrypted, when it is not as the bucket says. */
export type GcsEncryption =
  /** With a key of Cloud KMS: `projects/p/locations/l/keyRings/r/cryptoKeys/k`. */
  | { readonly type: 'CMEK'; readonly kmsKeyName: string }
  /** With a key of 32 bytes that Google does not keep. Without it the backups cannot be read again. */
  | { readonly type: 'CSEK'; readonly key: Uint8Array };

/** Options of {@link GcsObjectStore}. */
export interface GcsObjectStoreOptions {
  readonly bucket: string;
  /** Before every key: `''` or a text that ends in `/`. @default '' */
  readonly prefix?: string | undefined;
  /**
   * The application's own client: its endpoint, credentials and retry settings are used, and it stays the application's.
   * @default new Storage(), which finds the application default credentials
   */
  readonly client?: Storage | undefined;
  /** @default as the bucket says */
  readonly encryption?: GcsEncryption | undefined;
  /** The project that is billed for requests to a bucket whose requester pays. */
  readonly userProject?: string | undefined;
  /**
   * A stream of up to so many bytes is uploaded like bytes. Of a longer one the last bytes, at least as many and at most twice as
   * many, are kept in memory to be sent again when the connection breaks. A multiple of 262,144. @default 8_388_608
   */
  readonly partSizeBytes?: number | undefined;
  /** Where signed URLs lead, if readers reach the store at another address than this process. */
  readonly publicEndpoint?: string | undefined;
  /** How long a read waits for the next bytes before it rejects with Unavailable. @default 60_000 */
  readonly stalledAfterMs?: number | undefined;
}

/** Upload sessions keep what is a multiple of this, https://cloud.google.com/storage/docs/performing-resumable-uploads */
export const partSizeStepBytes: number = 256 * 1024;
export const defaultPartSizeBytes: number = 8 * 1024 * 1024;
