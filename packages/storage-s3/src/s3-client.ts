import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** A server that cannot be reached, or goes silent in the middle of an answer, is given up. */
export const timeouts: { readonly connectionTimeout: number; readonly socketTimeout: number } = {
  connectionTimeout: 10_000,
  socketTimeout: 60_000,
};

/**
 * Makes a client that gives up a server which does not answer, and that S3-compatible servers understand: at an endpoint of its
 * own the newer checksums, which many of them refuse, are left out. What the configuration says goes before.
 */
export function createClient(config: S3ClientConfig = {}): S3Client {
  const checksums = config.endpoint === undefined ? {} : whenRequired;
  return new S3Client({
    requestHandler: timeouts,
    ...checksums,
    ...config,
  });
}

/**
 * Makes a client that signs as another one does, for another address. It sends nothing.
 *
 * @param endpoint - where the readers of its URLs reach the server.
 */
export function clientForSigning({ config }: S3Client, endpoint: string): S3Client {
  const { region, credentials, forcePathStyle } = config;
  return new S3Client({ ...whenRequired, region, credentials, forcePathStyle, endpoint });
}

const whenRequired = {
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
} as const;
