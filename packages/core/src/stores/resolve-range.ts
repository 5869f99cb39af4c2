import { ObjectStoreError } from '../errors.ts';
import type { ByteRange } from '../ports/object-store.ts';

/**
 * The bytes of an object that a range asks for, the end exclusive: all of them without a range, none for one that starts
 * behind the end.
 *
 * @throws {ObjectStoreError} code InvalidConfig when the range is not one: negative, fractional, or its end before its start.
 */
export function resolveRange(
  range: ByteRange | undefined,
  sizeBytes: number,
  key: string,
): { readonly start: number; readonly end: number } {
  const { start, end: last = Number.MAX_SAFE_INTEGER - 1 } = range ?? { start: 0 };
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(last) || start < 0 || last < start) {
    throw new ObjectStoreError(`ObjectStore.get: ${key} has no bytes ${start} to ${last}`, {
      code: 'InvalidConfig',
      operation: 'ObjectStore.get',
      target: key,
    });
  }
  const end = Math.min(last + 1, sizeBytes);
  return { start: Math.min(start, end), end };
}
