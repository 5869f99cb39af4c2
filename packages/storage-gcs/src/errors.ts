import type { LifeboatErrorCode, StoreFailure } from '@lifeboat/core';
import { GcsResponseError, memberOf } from './gcs-response-error.ts';

interface Meaning {
  readonly code: LifeboatErrorCode;
  readonly advice: string;
}

const unavailable: Meaning = {
  code: 'Unavailable',
  advice: 'Cloud Storage is not available at the moment',
};
const rateLimited: Meaning = {
  code: 'RateLimited',
  advice: 'Cloud Storage wants fewer requests',
};
const denied: Meaning = {
  code: 'PermissionDenied',
  advice: 'the credentials give no right to that; check the roles of the service account',
};
const retained: Meaning = {
  code: 'Retained',
  advice: 'a retention or a hold keeps the object',
};
const notKept: Meaning = {
  code: 'Unavailable',
  advice: 'Cloud Storage has not kept what was uploaded',
};
const wrongKey: Meaning = {
  code: 'InvalidConfig',
  advice: 'the customer key is not the one the object was written with',
};

/** Reasons of https://cloud.google.com/storage/docs/json_api/v1/status-codes that say more than their status. */
const byReason: ReadonlyMap<string, Meaning> = new Map([
  ['retentionPolicyNotMet', retained],
  ['objectUnderActiveHold', retained],
  ['objectUnderActiveRetention', retained],
  ['rateLimitExceeded', rateLimited],
  ['userRateLimitExceeded', rateLimited],
  ['quotaExceeded', rateLimited],
  ['customerEncryptionKeyIsIncorrect', wrongKey],
  ['resourceIsEncryptedWithCustomerEncryptionKey', wrongKey],
  ['resourceNotEncryptedWithCustomerEncryptionKey', wrongKey],
  ['userProjectMissing', { code: 'InvalidConfig', advice: 'the requester pays; set userProject' }],
]);

const byStatus: ReadonlyMap<number, Meaning> = new Map([
  // What an upload session answers while something is missing.
  [308, notKept],
  [400, { code: 'InvalidConfig', advice: 'Cloud Storage does not accept the request' }],
  [401, { code: 'PermissionDenied', advice: 'the credentials were not accepted' }],
  [403, denied],
  [404, { code: 'NotFound', advice: 'it does not exist' }],
  [408, unavailable],
  [409, { code: 'PreconditionFailed', advice: 'another request changes it at the same time' }],
  [412, { code: 'PreconditionFailed', advice: 'it is not in the state that was asked for' }],
  [429, rateLimited],
]);

/** Codes of the sockets and of the client's token requests: no answer has come. Those of files are about credentials. */
const untrustedCode = /^(CERT|DEPTH|SELF|UNABLE|ERR_TLS)_/;
const connectionCode =
  /^(?!ENOENT|EACCES|EPERM|EISDIR|ENOTDIR)(E[A-Z]+|ERR_TLS_[A-Z_]+|UND_ERR_[A-Z_]+|CERT_[A-Z_]+|DEPTH_[A-Z_]+|SELF_[A-Z_]+|UNABLE_[A-Z_]+)$/;

/** Says in the terms of the ObjectStore port what the service or the connection reported. */
export function failureOf(error: unknown): StoreFailure {
  if (error instanceof GcsResponseError) {
    const { code, advice } = meaningOf(error);
    return { code, reason: `${advice} (${error.message})`, retryAfterMs: error.retryAfterMs };
  }
  if (error instanceof CredentialsError) {
    return { code: 'PermissionDenied', reason: error.message };
  }
  if (error instanceof ChangedBytesError) {
    return { code: 'Unavailable', reason: error.message };
  }
  if (error instanceof SigningError) {
    return { code: 'InvalidConfig', reason: error.message };
  }
  const code = connectionCodeOf(error);
  if (code !== undefined && untrustedCode.test(code)) {
    return {
      code: 'InvalidConfig',
      reason: `the certificate of the server is not trusted (${code})`,
    };
  }
  return code === undefined
    ? { code: 'Unknown', reason: error instanceof Error ? error.message : String(error) }
    : { code: 'Unavailable', reason: `the connection to Cloud Storage failed (${code})` };
}

/** Whether the same request may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  const { code } = failureOf(error);
  return code === 'Unavailable' || code === 'RateLimited';
}

/** What has arrived is not what was sent. */
export class ChangedBytesError extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'ChangedBytesError' });
  }
}

/** The credentials cannot sign URLs. */
export class SigningError extends Error {
  constructor(cause: unknown) {
    super(
      'the credentials cannot sign URLs; use the key of a service account, or give the account the role Service Account Token Creator',
      { cause },
    );
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'SigningError' });
  }
}

/** The credentials could not be turned into a token. */
export class CredentialsError extends Error {
  constructor(cause: unknown) {
    const refusal = memberOf(memberOf(memberOf(cause, 'response'), 'data'), 'error');
    super(
      refusal === 'invalid_grant'
        ? 'the credentials were refused (invalid_grant); check the key, and the clock of this machine'
        : 'there are no credentials that work; see https://cloud.google.com/docs/authentication/application-default-credentials',
      { cause },
    );
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'CredentialsError' });
  }
}

function meaningOf({ status, reason, message }: GcsResponseError): Meaning {
  // The service has one reason for both, and only the text tells which of them is missing.
  if (status === 404 && message.includes('bucket does not exist')) {
    return {
      code: 'InvalidConfig',
      advice: 'the bucket does not exist; create it or correct its name',
    };
  }
  const meaning = byReason.get(reason ?? '') ?? byStatus.get(status);
  if (meaning !== undefined) {
    return meaning;
  }
  return status >= 500
    ? unavailable
    : { code: 'Unknown', advice: 'Cloud Storage has answered with an error' };
}

/** The code of a connection that failed, which fetch keeps in the cause. */
export function connectionCodeOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const code = memberOf(each, 'code');
    if (typeof code === 'string' && connectionCode.test(code)) {
      return code;
    }
  }
  return undefined;
}
