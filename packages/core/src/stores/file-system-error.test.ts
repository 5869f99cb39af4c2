import { expect, it } from 'vitest';
import { ObjectStoreError } from '../errors.ts';
import { asObjectStoreError } from './file-system-error.ts';

const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: something`), { code });

it.each([
  ['ENOENT', 'NotFound', false],
  ['EACCES', 'PermissionDenied', false],
  ['EROFS', 'PermissionDenied', false],
  ['ENOTDIR', 'InvalidConfig', false],
  ['ENAMETOOLONG', 'InvalidConfig', false],
  ['ELOOP', 'InvalidConfig', false],
  ['ENOSPC', 'Unavailable', true],
  ['EMFILE', 'Unavailable', true],
  ['EWHATEVER', 'Unknown', false],
])('takes %s for %s, retryable: %s', (systemCode, code, retryable) => {
  const cause = systemError(systemCode);
  expect(asObjectStoreError(cause, 'ObjectStore.put', 'a/b')).toMatchObject({
    name: 'ObjectStoreError',
    code,
    retryable,
    operation: 'ObjectStore.put',
    target: 'a/b',
    cause,
  });
});

it('leaves an error of Lifeboat as it is', () => {
  const error = new ObjectStoreError('m', { code: 'NotFound', operation: 'o' });
  expect(asObjectStoreError(error, 'ObjectStore.put', 'a')).toBe(error);
});
