import { describe, expect, it } from 'vitest';
import { failureOf } from './errors.ts';

function serviceError(status: number, name = '', message = '', headers = {}): Error {
  return Object.assign(new Error(message), {
    name,
    $metadata: { httpStatusCode: status },
    $response: { statusCode: status, headers },
  });
}

function systemError(code: string, name = 'Error'): Error {
  return Object.assign(new Error(code), { name, code });
}

describe('an error of the server', () => {
  it.each([
    [404, 'NoSuchKey', 'NotFound'],
    [404, 'NotFound', 'NotFound'],
    [404, 'NoSuchBucket', 'InvalidConfig'],
    [404, 'SomethingElse', 'InvalidConfig'],
    [412, 'PreconditionFailed', 'PreconditionFailed'],
    [409, 'ConditionalRequestConflict', 'PreconditionFailed'],
    [409, 'OperationAborted', 'Unavailable'],
    [403, 'AccessDenied', 'PermissionDenied'],
    [403, 'InvalidAccessKeyId', 'PermissionDenied'],
    [403, 'SignatureDoesNotMatch', 'PermissionDenied'],
    [403, 'RequestTimeTooSkewed', 'PermissionDenied'],
    [400, 'ExpiredToken', 'PermissionDenied'],
    [403, '403', 'PermissionDenied'],
    [401, '', 'PermissionDenied'],
    [301, 'PermanentRedirect', 'InvalidConfig'],
    [400, 'AuthorizationHeaderMalformed', 'InvalidConfig'],
    [503, 'SlowDown', 'RateLimited'],
    [429, '', 'RateLimited'],
    [500, 'InternalError', 'Unavailable'],
    [502, '', 'Unavailable'],
    [503, 'ServiceUnavailable', 'Unavailable'],
    [400, 'RequestTimeout', 'Unavailable'],
    [400, 'BadDigest', 'Unavailable'],
    [501, 'NotImplemented', 'InvalidConfig'],
    [400, 'InvalidArgument', 'InvalidConfig'],
  ])('with status %d and code %s means %s', (status, name, code) => {
    expect(failureOf(serviceError(status, name))).toMatchObject({ code });
  });

  it('that speaks of an object lock means Retained', () => {
    const message = 'Access Denied because object protected by object lock.';
    expect(failureOf(serviceError(403, 'AccessDenied', message)).code).toBe('Retained');
    expect(failureOf(serviceError(403, 'AccessDenied', 'Access Denied')).code).toBe(
      'PermissionDenied',
    );
  });

  it.each([
    ['12', 12_000],
    ['0', 0],
    [new Date(Date.now() - 60_000).toUTCString(), 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('with Retry-After %s asks to wait %s ms', (header, retryAfterMs) => {
    const headers = header === undefined ? {} : { 'retry-after': header };
    expect(failureOf(serviceError(429, '', '', headers)).retryAfterMs).toBe(retryAfterMs);
  });

  it('about the region names it', () => {
    const error = serviceError(301, 'PermanentRedirect', '', {
      'x-amz-bucket-region': 'eu-west-3',
    });
    expect(failureOf(error).reason).toContain('eu-west-3');
  });
});

describe('an error of the client', () => {
  it.each([
    ['ECONNREFUSED', 'Unavailable'],
    ['ENOTFOUND', 'Unavailable'],
    ['ECONNRESET', 'Unavailable'],
    ['EPIPE', 'Unavailable'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'InvalidConfig'],
    ['ERR_SOMETHING', 'Unknown'],
  ])('with code %s means %s', (systemCode, code) => {
    expect(failureOf(systemError(systemCode))).toMatchObject({ code });
  });

  it('that the client calls a timeout says what the system said', () => {
    expect(failureOf(systemError('ECONNRESET', 'TimeoutError')).reason).toBe(
      'the connection broke',
    );
    expect(failureOf(systemError('', 'TimeoutError')).code).toBe('Unavailable');
  });

  it.each([[undefined], ['text'], [null], [{}]])('that is %s is Unknown', (thrown) => {
    expect(failureOf(thrown).code).toBe('Unknown');
  });
});
