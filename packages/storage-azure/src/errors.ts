import { isRestError, type RestError } from '@azure/storage-blob';
import type { LifeboatErrorCode, StoreFailure } from '@lifeboat/core';

interface Meaning {
  readonly code: LifeboatErrorCode;
  readonly advice: string;
}

const missing: Meaning = { code: 'NotFound', advice: 'it does not exist' };
const unavailable: Meaning = {
  code: 'Unavailable',
  advice: 'Blob Storage is not available at the moment',
};
const rateLimited: Meaning = { code: 'RateLimited', advice: 'Blob Storage wants fewer requests' };
const refused: Meaning = {
  code: 'PermissionDenied',
  advice: 'the credentials were not accepted; check the key, and the clock of this machine',
};
const denied: Meaning = {
  code: 'PermissionDenied',
  advice: 'the credentials give no right to that; check the roles of the identity',
};
const retained: Meaning = {
  code: 'Retained',
  advice: 'an immutability policy or a legal hold keeps the object',
};
const noContainer: Meaning = { code: 'InvalidConfig', advice: 'the container does not exist' };
const noLocks: Meaning = {
  code: 'InvalidConfig',
  advice: 'the container has no version-level immutability',
};
const changed: Meaning = {
  code: 'PreconditionFailed',
  advice: 'it is not in the state that was asked for',
};
const overtaken: Meaning = {
  code: 'PreconditionFailed',
  advice: 'another writer has written it at the same time',
};

/** Error codes of https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes that say more than their status. */
const byErrorCode: ReadonlyMap<string, Meaning> = new Map([
  ['BlobNotFound', missing],
  ['ContainerNotFound', noContainer],
  ['ContainerBeingDeleted', noContainer],
  ['BlobAlreadyExists', changed],
  ['InvalidBlockList', overtaken],
  ['BlobImmutableDueToPolicy', retained],
  ['BlobImmutableDueToLegalHold', retained],
  ['ImmutabilityPolicyDeleteOnLockedPolicy', retained],
  ['BlobVersionWormNotSupported', noLocks],
  ['VersionLevelWormNotEnabled', noLocks],
  ['AuthenticationFailed', refused],
  ['InvalidAuthenticationInfo', refused],
  ['ServerBusy', rateLimited],
  ['OperationTimedOut', unavailable],
]);

const byStatus: ReadonlyMap<number, Meaning> = new Map([
  [400, { code: 'InvalidConfig', advice: 'Blob Storage does not accept the request' }],
  [401, refused],
  [403, denied],
  [404, missing],
  [408, unavailable],
  [409, { code: 'PreconditionFailed', advice: 'its state does not allow that' }],
  [412, changed],
  [429, rateLimited],
  [501, { code: 'InvalidConfig', advice: 'this Blob Storage cannot do that' }],
]);

/** Codes of the sockets and of TLS: no answer has come, or not all of it. */
const untrustedCode = /^(CERT|DEPTH|SELF|UNABLE|ERR_TLS)_/;
const connectionCode =
  /^(E[A-Z]+|ERR_TLS_[A-Z_]+|REQUEST_SEND_ERROR|ERR_STREAM_PREMATURE_CLOSE|CERT_[A-Z_]+|DEPTH_[A-Z_]+|SELF_[A-Z_]+|UNABLE_[A-Z_]+)$/;
const longestMessage = 300;

/** Says in the terms of the ObjectStore port what the service or the connection reported. */
export function failureOf(error: unknown): StoreFailure {
  if (isRestError(error) && error.statusCode !== undefined) {
    const { code, advice } = meaningOf(error, error.statusCode);
    return { code, reason: `${advice} (${saidBy(error)})`, retryAfterMs: retryAfterMsOf(error) };
  }
  const code = connectionCodeOf(error);
  if (code !== undefined && untrustedCode.test(code)) {
    return {
      code: 'InvalidConfig',
      reason: `the certificate of the server is not trusted (${code})`,
    };
  }
  if (code !== undefined) {
    return { code: 'Unavailable', reason: `the connection to Blob Storage failed (${code})` };
  }
  // The client says so of a body whose connection broke, and of a request that took too long. An abort by the caller is not
  // looked at here.
  if (error instanceof Error && error.name === 'AbortError') {
    return { code: 'Unavailable', reason: 'the connection to Blob Storage broke' };
  }
  if (isCredentialError(error)) {
    return { code: 'PermissionDenied', reason: 'the token credential has given no token' };
  }
  return { code: 'Unknown', reason: error instanceof Error ? error.message : String(error) };
}

/** Whether the range of a read starts behind the end of the object. */
export function isBehindTheEnd(error: unknown): boolean {
  return isRestError(error) && error.statusCode === 416;
}

/** Whether the state of the object has forbidden a write, as it does when the same write came through before. */
export function isRefusedWrite(error: unknown): boolean {
  const { code } = isRestError(error) ? failureOf(error) : { code: undefined };
  return code === 'PreconditionFailed';
}

function meaningOf(error: RestError, status: number): Meaning {
  const meaning = byErrorCode.get(errorCodeOf(error) ?? '') ?? byStatus.get(status);
  if (meaning !== undefined) {
    return meaning;
  }
  return status >= 500
    ? unavailable
    : { code: 'Unknown', advice: 'Blob Storage has answered with an error' };
}

/** The service's error code, which an answer to HEAD has in a header alone. */
function errorCodeOf({ code, response }: RestError): string | undefined {
  return response?.headers.get('x-ms-error-code') ?? code;
}

/** What the service said, its first line: what follows are the id and the time of the request, or what was signed. */
function saidBy(error: RestError): string {
  const code = errorCodeOf(error);
  const text = code === undefined || isSecretive(code) ? '' : firstLine(error.message);
  return [`HTTP ${error.statusCode}`, code, text].filter(Boolean).join(' ');
}

// Its text quotes the string that was signed.
function isSecretive(code: string): boolean {
  return code === 'AuthenticationFailed';
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').slice(0, longestMessage);
}

function retryAfterMsOf({ response }: RestError): number | undefined {
  const header = response?.headers.get('retry-after');
  if (header === undefined) {
    return undefined;
  }
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function connectionCodeOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string' && connectionCode.test(each.code)) {
      return each.code;
    }
  }
  return undefined;
}

/** What the credentials of `@azure/identity` throw. */
function isCredentialError(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(CredentialUnavailable|Authentication|AggregateAuthentication|AuthenticationRequired)Error$/.test(
      error.name,
    )
  );
}
