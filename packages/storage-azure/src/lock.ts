import type { BlobGetPropertiesResponse, BlobImmutabilityPolicy } from '@azure/storage-blob';
import type { ObjectLock } from '@lifeboat/core';

/** The lock of an object, in the words of the port: a `Locked` policy can be lifted by nobody. */
export function lockOf({
  immutabilityPolicyExpiresOn: until,
  immutabilityPolicyMode,
  legalHold = false,
}: Pick<
  BlobGetPropertiesResponse,
  'immutabilityPolicyExpiresOn' | 'immutabilityPolicyMode' | 'legalHold'
>): ObjectLock {
  const isLocked = immutabilityPolicyMode?.toLowerCase() === 'locked';
  return {
    retention:
      until === undefined ? undefined : { mode: isLocked ? 'compliance' : 'governance', until },
    legalHold,
  };
}

/** The policy that keeps an object so. */
export function immutabilityPolicyOf({
  mode,
  until,
}: NonNullable<ObjectLock['retention']>): BlobImmutabilityPolicy {
  return { policyMode: mode === 'compliance' ? 'Locked' : 'Unlocked', expiriesOn: until };
}
