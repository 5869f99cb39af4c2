import { isLifeboatError, ObjectStoreError } from '../errors.ts';

/** The error of a call after `close`. */
export function closedError(operation: string, location: string): ObjectStoreError {
  return new ObjectStoreError(`${operation}: the store ${location} has been closed`, {
    code: 'Closed',
    operation,
    target: location,
  });
}

/** The error of a read of an object that is not there. */
export function notFoundError(operation: string, location: string, key: string): ObjectStoreError {
  return new ObjectStoreError(`${operation}: there is no ${key} in ${location}`, {
    code: 'NotFound',
    operation,
    target: key,
  });
}

/** The error of a conditional write that found its key taken. */
export function alreadyExistsError(location: string, key: string): ObjectStoreError {
  return new ObjectStoreError(`ObjectStore.put: ${key} already exists in ${location}`, {
    code: 'AlreadyExists',
    operation: 'ObjectStore.put',
    target: key,
  });
}

/** What a call resolves with, or `undefined` when it fails because the object is missing. */
export async function undefinedWhenMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return undefined;
    }
    throw error;
  }
}
