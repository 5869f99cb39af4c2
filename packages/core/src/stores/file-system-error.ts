import { isLifeboatError, type LifeboatErrorCode, messageOf, ObjectStoreError } from '../errors.ts';

interface Meaning {
  readonly code: LifeboatErrorCode;
  readonly retryable?: boolean;
  readonly advice: string;
}

const missing: Meaning = { code: 'NotFound', advice: 'it does not exist' };
const forbidden: Meaning = {
  code: 'PermissionDenied',
  advice: 'the process may not do that there; check the owner and mode of the directory',
};
const impossible: Meaning = {
  code: 'InvalidConfig',
  advice: 'the file system cannot hold this key beside the ones it has',
};
const unavailable: Meaning = {
  code: 'Unavailable',
  retryable: true,
  advice: 'the file system has no room or is not answering',
};

const meanings: ReadonlyMap<string, Meaning> = new Map([
  ['ENOENT', missing],
  ['EACCES', forbidden],
  ['EPERM', forbidden],
  ['EROFS', forbidden],
  ['ENOTDIR', impossible],
  ['EISDIR', impossible],
  ['ENOTEMPTY', impossible],
  ['ENAMETOOLONG', impossible],
  ['EILSEQ', impossible],
  ['ELOOP', { code: 'InvalidConfig', advice: 'a symbolic link stands where it should be' }],
  ['ENOSPC', unavailable],
  ['EDQUOT', unavailable],
  ['EIO', unavailable],
  ['EBUSY', unavailable],
  ['EMFILE', unavailable],
  ['ENFILE', unavailable],
  ['ESTALE', unavailable],
]);

/** Says in the terms of the ObjectStore port what the file system reported. An error of Lifeboat stays what it is. */
export function asObjectStoreError(error: unknown, operation: string, target: string): unknown {
  if (isLifeboatError(error)) {
    return error;
  }
  const { code, retryable, advice } = meanings.get(systemCodeOf(error) ?? '') ?? {
    code: 'Unknown',
    advice: messageOf(error),
  };
  return new ObjectStoreError(`${operation}: ${target}: ${advice}`, {
    code,
    operation,
    target,
    retryable,
    cause: error,
  });
}

/** The code of a system error: `ENOENT`. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
