import { describe, expect, it } from 'vitest';
import { connectionError, connectionFailure, refusalError } from './errors.ts';

const subject = { operation: 'Cluster.create', target: 'configmaps shop/a' };

describe('refusals', () => {
  it.each([
    [400, 'BadRequest', 'Invalid', false],
    [401, 'Unauthorized', 'Unauthorized', false],
    [403, 'Forbidden', 'Forbidden', false],
    [404, 'NotFound', 'NotFound', false],
    [404, undefined, 'NotFound', false],
    [405, 'MethodNotAllowed', 'Invalid', false],
    [408, undefined, 'Timeout', true],
    [409, 'AlreadyExists', 'AlreadyExists', false],
    [409, 'Conflict', 'Conflict', false],
    [409, undefined, 'Conflict', false],
    [410, 'Gone', 'Gone', false],
    [410, 'Expired', 'Gone', false],
    [413, 'RequestEntityTooLarge', 'Invalid', false],
    [415, 'UnsupportedMediaType', 'Invalid', false],
    [418, undefined, 'Unknown', false],
    [422, 'Invalid', 'Invalid', false],
    [429, 'TooManyRequests', 'RateLimited', true],
    [429, undefined, 'RateLimited', true],
    [500, 'InternalError', 'Unavailable', true],
    [500, 'ServerTimeout', 'Timeout', true],
    [502, undefined, 'Unavailable', true],
    [503, 'ServiceUnavailable', 'Unavailable', true],
    [504, 'Timeout', 'Timeout', true],
  ] as const)('%i %s is %s, retryable: %s', (httpStatus, reason, code, retryable) => {
    const body = reason === undefined ? undefined : { kind: 'Status', reason, message: 'because' };
    expect(refusalError(subject, { httpStatus, body })).toMatchObject({
      code,
      retryable,
      httpStatus,
      reason,
    });
  });

  it('the message says what failed, on what, why, and what to do', () => {
    const body = { reason: 'Forbidden', message: 'User "x" cannot create' };
    expect(refusalError(subject, { httpStatus: 403, body }).message).toBe(
      'Cluster.create configmaps shop/a: User "x" cannot create (403 Forbidden); grant the user this right, or use another user',
    );
  });

  it('an answer that is not a Status is not repeated in the message', () => {
    expect(refusalError(subject, { httpStatus: 404, body: undefined }).message).toBe(
      'Cluster.create configmaps shop/a: the API server gave no reason (404)',
    );
  });

  it('a long reason is cut to one line', () => {
    const { message } = refusalError(subject, {
      httpStatus: 422,
      body: { message: 'a\n'.repeat(5_000) },
    });
    expect(message.length).toBeLessThan(1_200);
    expect(message).not.toContain('\n');
  });

  it('Invalid names the refused fields, a Conflict of apply does not', () => {
    const causes = [{ field: 'metadata.name', reason: 'FieldValueInvalid', message: 'bad' }];
    const invalid = { reason: 'Invalid', details: { causes } };
    expect(refusalError(subject, { httpStatus: 422, body: invalid }).invalidFields).toEqual(causes);
    const conflict = { reason: 'Conflict', details: { causes } };
    expect(refusalError(subject, { httpStatus: 409, body: conflict }).invalidFields).toEqual([]);
  });
});

describe('failures of the connection', () => {
  it.each([
    ['ECONNREFUSED', 'Unavailable', true, true],
    ['ENOTFOUND', 'Unavailable', true, true],
    ['UND_ERR_CONNECT_TIMEOUT', 'Unavailable', true, true],
    ['ECONNRESET', 'Unavailable', false, true],
    ['EPIPE', 'Unavailable', false, true],
    ['UND_ERR_SOCKET', 'Unavailable', false, true],
    ['UND_ERR_HEADERS_TIMEOUT', 'Timeout', false, true],
    ['UND_ERR_BODY_TIMEOUT', 'Timeout', false, true],
    ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'Unknown', false, false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'Unavailable', true, false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'Unavailable', true, false],
    ['CERT_HAS_EXPIRED', 'Unavailable', true, false],
  ] as const)('%s is %s, unsent: %s, retryable: %s', (systemCode, code, isUnsent, retryable) => {
    const error = Object.assign(new Error('x'), { code: systemCode });
    expect(connectionFailure(error)).toMatchObject({ code, isUnsent, retryable });
  });

  it('what is not known counts as a connection that broke after the request was sent', () => {
    expect(connectionFailure('odd')).toMatchObject({ code: 'Unavailable', isUnsent: false });
  });

  it('the message names the server and the code of the system, and keeps the cause', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const error = connectionError(subject, cause, 'https://10.0.0.1:6443');
    expect(error.message).toBe(
      'Cluster.create configmaps shop/a at https://10.0.0.1:6443: the API server cannot be reached (ECONNREFUSED); check that the API server runs and can be reached, then try again',
    );
    expect(error.cause).toBe(cause);
  });
});
