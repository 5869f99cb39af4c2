import { unusable } from './errors.ts';
import type { S3Encryption } from './options.ts';

/** What requests carry besides bucket and key. */
export interface RequestFields {
  /** Of a request that writes an object or begins an upload. */
  readonly write: WriteFields;
  /** Of a request that needs the customer's key: reads, and the parts of an upload. */
  readonly customerKey: CustomerKeyFields;
}

interface CustomerKeyFields {
  readonly SSECustomerAlgorithm?: string;
  readonly SSECustomerKey?: string;
}

interface WriteFields extends CustomerKeyFields {
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms';
  readonly SSEKMSKeyId?: string;
  readonly Tagging?: string;
}

const customerKeyBytes = 32;

/**
 * Turns options into the fields of requests.
 *
 * @throws {ObjectStoreError} code InvalidConfig when the customer's key has not 32 bytes.
 */
export function requestFieldsOf(
  encryption: S3Encryption | undefined,
  tags: Readonly<Record<string, string>> = {},
): RequestFields {
  const tagging = new URLSearchParams(tags).toString();
  const customerKey = encryption?.type === 'SSE-C' ? customerKeyFieldsOf(encryption.key) : {};
  return {
    customerKey,
    write: {
      ...customerKey,
      ...(encryption?.type === 'SSE-S3' && { ServerSideEncryption: 'AES256' }),
      ...(encryption?.type === 'SSE-KMS' && { ServerSideEncryption: 'aws:kms' }),
      ...(encryption?.type === 'SSE-KMS' &&
        encryption.keyId !== undefined && { SSEKMSKeyId: encryption.keyId }),
      ...(tagging !== '' && { Tagging: tagging }),
    },
  };
}

// The client adds the digest of the key that the protocol asks for.
function customerKeyFieldsOf(key: Uint8Array): CustomerKeyFields {
  if (key.byteLength !== customerKeyBytes) {
    const reason = `encryption.key has ${key.byteLength} bytes, not ${customerKeyBytes}`;
    throw unusable('S3ObjectStore', reason, 'encryption.key');
  }
  return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: Buffer.from(key).toString('base64') };
}

/** The options of a request that a signal may abort. */
export function abortOptions(signal: AbortSignal | undefined): {
  readonly abortSignal?: AbortSignal;
} {
  return signal === undefined ? {} : { abortSignal: signal };
}
