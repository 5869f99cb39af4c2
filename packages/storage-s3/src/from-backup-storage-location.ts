import { Agent } from 'node:https';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { type BackupStorageLocationSpec, LocationConfig } from '@lifeboat/core';
import { accessKeyOf } from './credentials-file.ts';
import type { S3BucketOptions, S3ChecksumAlgorithm, S3Encryption } from './options.ts';
import { timeouts } from './s3-client.ts';
import { S3ObjectStore } from './s3-object-store.ts';

/** What a BackupStorageLocation only refers to, and options that it cannot say. */
export interface S3LocationOptions
  extends Omit<
    S3BucketOptions,
    'bucket' | 'prefix' | 'encryption' | 'checksumAlgorithm' | 'tags' | 'publicEndpoint'
  > {
  /**
   * The credentials file that the location's `credential` names, as text; required if it names one.
   * @default what the environment and the shared configuration files of AWS say
   */
  readonly credentials?: string | undefined;
  /** The key of `customerKeyEncryptionFile` or `customerKeyEncryptionSecret`: 32 bytes. */
  readonly customerKey?: Uint8Array | undefined;
}

const keys = [
  'region',
  's3ForcePathStyle',
  's3Url',
  'publicUrl',
  'serverSideEncryption',
  'kmsKeyId',
  'customerKeyEncryptionFile',
  'customerKeyEncryptionSecret',
  'signatureVersion',
  'profile',
  'insecureSkipTLSVerify',
  'enableSharedConfig',
  'tagging',
  'checksumAlgorithm',
  'bucket',
  'prefix',
];
const checksumAlgorithms = ['CRC32', 'CRC32C', 'SHA1', 'SHA256', ''] as const;
// Velero's own default, for S3-compatible servers that have no regions.
const defaultRegion = 'us-east-1';

/**
 * Opens the store that a Velero BackupStorageLocation of the provider `aws` describes. Nothing is read from a cluster or a file:
 * what the location refers to is given.
 *
 * @throws {ObjectStoreError} code InvalidConfig, naming every key that is unknown, cannot be used or contradicts another.
 *
 * @example
 * ```ts
 * const store = s3ObjectStoreFromLocation(location.spec, { credentials: await readFile('credentials', 'utf8') });
 * ```
 */
export function s3ObjectStoreFromLocation(
  spec: BackupStorageLocationSpec,
  { credentials, customerKey, ...options }: S3LocationOptions = {},
): S3ObjectStore {
  const config = new LocationConfig(spec, 'aws', keys);
  const clientConfig = clientConfigOf(spec, config, credentials);
  const encryption = encryptionOf(config, customerKey);
  const tags = Object.fromEntries(new URLSearchParams(config.text('tagging')));
  const checksumAlgorithm = config.choice('checksumAlgorithm', checksumAlgorithms);
  const publicEndpoint = config.url('publicUrl');
  if (config.text('signatureVersion') === '1') {
    config.problem('config.signatureVersion', 'is "1", which only signed URLs of old servers use');
  } else {
    config.choice('signatureVersion', ['4']);
  }
  config.assertValid();
  return new S3ObjectStore({
    ...options,
    bucket: spec.objectStorage.bucket,
    prefix: config.prefix,
    encryption,
    tags,
    publicEndpoint,
    ...checksumsOf(checksumAlgorithm, clientConfig),
  });
}

function clientConfigOf(
  spec: BackupStorageLocationSpec,
  config: LocationConfig,
  credentials: string | undefined,
): S3ClientConfig {
  const endpoint = config.url('s3Url');
  const profile = config.text('profile') ?? 'default';
  const accessKey = credentials === undefined ? undefined : accessKeyOf(credentials, profile);
  if (credentials !== undefined && accessKey === undefined) {
    config.problem('credential', `holds no access key of the profile ${JSON.stringify(profile)}`);
  } else if (spec.credential !== undefined && credentials === undefined) {
    config.problem('credential', 'names a Secret whose content was not given as `credentials`');
  }
  if (config.flag('enableSharedConfig') && credentials !== undefined) {
    config.problem('config.enableSharedConfig', 'contradicts `credentials`, which was given');
  }
  const agent = agentOf(spec, config);
  return {
    region: config.text('region') ?? defaultRegion,
    forcePathStyle: config.flag('s3ForcePathStyle'),
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKey !== undefined && { credentials: accessKey }),
    ...(accessKey === undefined && config.text('profile') !== undefined && { profile }),
    ...(agent && { requestHandler: { ...timeouts, httpsAgent: agent } }),
  };
}

function agentOf(
  { objectStorage }: BackupStorageLocationSpec,
  config: LocationConfig,
): Agent | undefined {
  const isInsecure = config.flag('insecureSkipTLSVerify');
  const { caCert } = objectStorage;
  if (isInsecure && caCert !== undefined) {
    config.problem('config.insecureSkipTLSVerify', 'contradicts objectStorage.caCert');
  }
  if (!isInsecure && caCert === undefined) {
    return undefined;
  }
  return new Agent({
    keepAlive: true,
    rejectUnauthorized: !isInsecure,
    ...(caCert !== undefined && { ca: Buffer.from(caCert, 'base64').toString() }),
  });
}

function encryptionOf(
  config: LocationConfig,
  customerKey: Uint8Array | undefined,
): S3Encryption | undefined {
  const sse = config.choice('serverSideEncryption', ['AES256', 'aws:kms']);
  const keyId = config.text('kmsKeyId');
  const named = ['customerKeyEncryptionFile', 'customerKeyEncryptionSecret'].filter(
    (key) => config.text(key) !== undefined,
  );
  const [first, second] = named;
  if (second !== undefined) {
    config.problem(`config.${second}`, `contradicts config.${first}`);
  }
  if (first !== undefined && (sse ?? keyId) !== undefined) {
    config.problem(`config.${first}`, 'contradicts serverSideEncryption and kmsKeyId');
  }
  if (first !== undefined && customerKey === undefined) {
    config.problem(`config.${first}`, 'names a key that was not given as `customerKey`');
  }
  if (first === undefined && customerKey !== undefined) {
    config.problem('config', 'names no key of the customer, but `customerKey` was given');
  }
  if (keyId !== undefined && sse === 'AES256') {
    config.problem('config.kmsKeyId', 'contradicts serverSideEncryption "AES256"');
  }
  if (customerKey !== undefined) {
    return { type: 'SSE-C', key: customerKey };
  }
  if (keyId !== undefined || sse === 'aws:kms') {
    return { type: 'SSE-KMS', keyId };
  }
  return sse === undefined ? undefined : { type: 'SSE-S3' };
}

/** An empty text means no checksums, as servers need that do not know them. */
function checksumsOf(
  algorithm: S3ChecksumAlgorithm | '' | undefined,
  clientConfig: S3ClientConfig,
): { readonly clientConfig: S3ClientConfig; readonly checksumAlgorithm?: S3ChecksumAlgorithm } {
  if (algorithm === '') {
    const whenRequired = 'WHEN_REQUIRED';
    return {
      clientConfig: {
        ...clientConfig,
        requestChecksumCalculation: whenRequired,
        responseChecksumValidation: whenRequired,
      },
    };
  }
  return { clientConfig, ...(algorithm && { checksumAlgorithm: algorithm }) };
}
