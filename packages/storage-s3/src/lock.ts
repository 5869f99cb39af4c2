import {
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { ObjectLock } from '@lifeboat/core';
import { abortOptions, type RequestFields } from './request-fields.ts';

/** The object whose lock is meant. */
export interface LockTarget {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly fields: RequestFields;
  readonly signal: AbortSignal | undefined;
}

const modes = { governance: 'GOVERNANCE', compliance: 'COMPLIANCE' } as const;

/** Tells how an object is locked. A bucket without object lock has no locked object. */
export async function getLock({
  client,
  bucket: Bucket,
  key: Key,
  fields,
  signal,
}: LockTarget): Promise<ObjectLock> {
  const options = abortOptions(signal);
  // Before anything else, because the answers below do not tell a missing object from a missing lock on every server.
  await client.send(new HeadObjectCommand({ Bucket, Key, ...fields.customerKey }), options);
  const retention = await undefinedWithoutLock(
    client.send(new GetObjectRetentionCommand({ Bucket, Key }), options),
  );
  const hold = await undefinedWithoutLock(
    client.send(new GetObjectLegalHoldCommand({ Bucket, Key }), options),
  );
  const { Mode: mode, RetainUntilDate: until } = retention?.Retention ?? {};
  return {
    retention:
      mode === undefined || until === undefined
        ? undefined
        : { mode: mode === 'COMPLIANCE' ? 'compliance' : 'governance', until },
    legalHold: hold?.LegalHold?.Status === 'ON',
  };
}

/** Sets what is given of a lock. */
export async function putLock(target: LockTarget, lock: ObjectLock): Promise<void> {
  const { client, bucket: Bucket, key: Key, signal } = target;
  const { retention, legalHold } = lock;
  const options = abortOptions(signal);
  if (retention !== undefined) {
    const Retention = { Mode: modes[retention.mode], RetainUntilDate: retention.until };
    await client.send(new PutObjectRetentionCommand({ Bucket, Key, Retention }), options);
  }
  if (legalHold !== undefined) {
    const LegalHold = { Status: legalHold ? 'ON' : 'OFF' } as const;
    await client.send(new PutObjectLegalHoldCommand({ Bucket, Key, LegalHold }), options);
  }
}

async function undefinedWithoutLock<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    const { name, $metadata } = error as {
      readonly name?: string;
      readonly $metadata?: { readonly httpStatusCode?: number };
    };
    const isUnlocked = name === 'NoSuchObjectLockConfiguration';
    // S3 answers so for a bucket that was made without object lock.
    const hasNoLocks = name === 'InvalidRequest' && $metadata?.httpStatusCode === 400;
    if (isUnlocked || hasNoLocks) {
      return undefined;
    }
    throw error;
  }
}
