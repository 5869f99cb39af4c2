import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

/** How objects are encrypted, when it is not as the bucket says. */
export type S3Encryption =
  /** With keys that S3 keeps. */
  | { readonly type: 'SSE-S3' }
  /** With a key of AWS KMS: its id, ARN or alias; the account's own one if none is given. */
  | { readonly type: 'SSE-KMS'; readonly keyId?: string | undefined }
  /** With a key of 32 bytes that S3 does not keep. Without it the backups cannot be read again. */
  | { readonly type: 'SSE-C'; readonly key: Uint8Array };

/** Checksums that S3 verifies and keeps. */
export type S3ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'SHA1' | 'SHA256';

/** Options of {@link S3ObjectStore} whoever owns the client. */
export interface S3BucketOptions {
  readonly bucket: string;
  /** Before every key: `''` or a text that ends in `/`. @default '' */
  readonly prefix?: string | undefined;
  /** @default as the bucket says */
  readonly encryption?: S3Encryption | undefined;
  /**
   * Which checksum uploads carry.
   * @default CRC32, or none where the client calculates checksums only when required
   */
  readonly checksumAlgorithm?: S3ChecksumAlgorithm | undefined;
  /** Tags of every object, at most ten. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /**
   * How many bytes of a stream are uploaded at a time, at least 5 MiB; an object has at most 10,000 such parts, so that one of
   * more than 48 GiB needs larger ones.
   * @default 5_242_880
   */
  readonly partSizeBytes?: number | undefined;
  /**
   * Up to how many bytes a body in memory is uploaded in one request instead of in parts; at most 5 GiB. A request that fails is
   * sent again from its start.
   * @default 268_435_456, 256 MiB
   */
  readonly singleRequestBytes?: number | undefined;
  /** How many parts of one object are uploaded side by side; each is held in memory meanwhile. @default 4 */
  readonly concurrency?: number | undefined;
  /** How many keys are listed at a time, at most 1,000. @default 1_000 */
  readonly pageSize?: number | undefined;
  /**
   * Whether the server keeps `If-None-Match: *`. Set to false for one that ignores it: the engine then refuses to write unless it
   * is told that nobody else does.
   * @default true
   */
  readonly conditionalWrites?: boolean | undefined;
  /** Where signed URLs lead, if readers reach the store at another address than this process. */
  readonly publicEndpoint?: string | undefined;
  /** How long a read waits for the next bytes before it rejects with Unavailable. @default 60_000 */
  readonly stalledAfterMs?: number | undefined;
}

/** Options of {@link S3ObjectStore}: with a client of the application, or with what to make one of. */
export type S3ObjectStoreOptions = S3BucketOptions &
  (
    | {
        /** Used as it is, and not closed with the store. */
        readonly client: S3Client;
        readonly clientConfig?: never;
      }
    | {
        readonly client?: never;
        /** Region, endpoint, credentials, … @default what the environment and the shared configuration files of AWS say */
        readonly clientConfig?: S3ClientConfig | undefined;
      }
  );

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
export const smallestPartSizeBytes: number = 5 * 1024 * 1024;
export const mostParts: number = 10_000;
export const longestSingleRequestBytes: number = 5 * 1024 ** 3;
export const defaultPartSizeBytes: number = smallestPartSizeBytes;
export const defaultSingleRequestBytes: number = 256 * 1024 * 1024;
export const defaultConcurrency: number = 4;
export const defaultPageSize: number = 1_000;
