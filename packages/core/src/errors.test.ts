import { expect, it } from 'vitest';
import {
  ClusterError,
  isLifeboatError,
  LifeboatError,
  messageOf,
  ObjectStoreError,
  ValidationError,
} from './errors.ts';

it.each([
  ['LifeboatError', new LifeboatError('m', { code: 'Unknown', operation: 'o' })],
  ['ObjectStoreError', new ObjectStoreError('m', { code: 'NotFound', operation: 'o' })],
  ['ClusterError', new ClusterError('m', { code: 'Conflict', operation: 'o' })],
  ['ValidationError', new ValidationError('o', [])],
])('names %s by its class', (name, error) => {
  expect(error.name).toBe(name);
  expect(String(error)).toMatch(new RegExp(`^${name}: `));
  expect(error).toBeInstanceOf(LifeboatError);
});

it('keeps what it was given, and is not retryable unless told so', () => {
  const cause = new Error('socket closed');
  const error = new ClusterError('m', {
    code: 'Unavailable',
    operation: 'Cluster.list',
    target: 'pods',
    retryable: true,
    retryAfterMs: 5_000,
    httpStatus: 503,
    cause,
  });
  expect(error).toMatchObject({
    code: 'Unavailable',
    operation: 'Cluster.list',
    target: 'pods',
    retryable: true,
    retryAfterMs: 5_000,
    httpStatus: 503,
    cause,
    invalidFields: [],
  });
  const plain = new LifeboatError('m', { code: 'Unknown', operation: 'o' });
  expect(plain.retryable).toBe(false);
  expect('cause' in plain).toBe(false);
});

it('knows an error of another copy of the package by its brand', () => {
  const foreign = Object.assign(new Error('m'), {
    code: 'NotFound',
    [Symbol.for('lifeboat.error')]: true,
  });
  expect(isLifeboatError(foreign)).toBe(true);
  expect(isLifeboatError(foreign, 'NotFound')).toBe(true);
  expect(isLifeboatError(foreign, 'Conflict')).toBe(false);
});

it.each([undefined, null, 'NotFound', new Error('m'), { code: 'NotFound' }])(
  'does not take %s for an error of its own',
  (value) => {
    expect(isLifeboatError(value)).toBe(false);
  },
);

it('lists every violation of a request in its message', () => {
  const error = new ValidationError('backup', [
    { path: 'name', rule: 'must be a DNS-1123 name', received: 'Shop!' },
    { path: 'spec.ttl', rule: 'must be a Go duration' },
  ]);
  expect(error.message).toBe(
    'backup: the request is not valid: name must be a DNS-1123 name (received "Shop!"); spec.ttl must be a Go duration',
  );
  expect(error.violations).toHaveLength(2);
});

it.each([
  [new Error('broken'), 'broken'],
  ['text', 'text'],
  [undefined, 'undefined'],
])('takes the message of %s', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});
