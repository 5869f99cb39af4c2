import { type LifeboatErrorCode, ObjectStoreError, type StoreFailure } from '@lifeboat/core';

interface Meaning {
  readonly code: LifeboatErrorCode;
  readonly advice: string;
}

const denied: Meaning = {
  code: 'PermissionDenied',
  advice: 'the credentials give no right to that; check the policies of the user and the bucket',
};
const wrongCredentials: Meaning = {
  code: 'PermissionDenied',
  advice: 'the credentials are not valid there; check the access key and the secret key',
};
const expiredCredentials: Meaning = {
  code: 'PermissionDenied',
  advice: 'the credentials have expired; renew the session',
};
const wrongRegion: Meaning = {
  code: 'InvalidConfig',
  advice: 'the bucket is in another region; set the region or endpoint of the client',
};
const unavailable: Meaning = { code: 'Unavailable', advice: 'the server is not available' };
const unreachable: Meaning = {
  code: 'Unavailable',
  advice: 'the server does not answer; check the endpoint and the network',
};
const broken: Meaning = { code: 'Unavailable', advice: 'the connection broke' };
const rateLimited: Meaning = { code: 'RateLimited', advice: 'the server wants fewer requests' };
const missing: Meaning = { code: 'NotFound', advice: 'it does not exist' };
const precondition: Meaning = {
  code: 'PreconditionFailed',
  advice: 'another write came first',
};
const untrusted: Meaning = {
  code: 'InvalidConfig',
  advice: 'the certificate of the server is not trusted; give the client its authority',
};

/** By the code of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), the client or the system. */
const meaningsByName: Readonly<Record<string, Meaning>> = {
  NoSuchKey: missing,
  NotFound: missing,
  NoSuchBucket: {
    code: 'InvalidConfig',
    advice: 'the bucket does not exist; create it or correct its name',
  },
  PreconditionFailed: precondition,
  ConditionalRequestConflict: precondition,
  AccessDenied: denied,
  AllAccessDisabled: denied,
  InvalidAccessKeyId: wrongCredentials,
  // versitygw, with the status 404
  XAdminUserNotFound: wrongCredentials,
  SignatureDoesNotMatch: wrongCredentials,
  InvalidToken: wrongCredentials,
  ExpiredToken: expiredCredentials,
  TokenRefreshRequired: expiredCredentials,
  CredentialsProviderError: {
    code: 'PermissionDenied',
    advice: 'no credentials were found; give the client some',
  },
  RequestTimeTooSkewed: {
    code: 'PermissionDenied',
    advice: 'the clock of this machine differs from that of the server; set it',
  },
  PermanentRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  IncorrectEndpoint: wrongRegion,
  SlowDown: rateLimited,
  Throttling: rateLimited,
  ThrottlingException: rateLimited,
  RequestLimitExceeded: rateLimited,
  TooManyRequests: rateLimited,
  InternalError: unavailable,
  ServiceUnavailable: unavailable,
  OperationAborted: unavailable,
  RequestTimeout: broken,
  BadDigest: { code: 'Unavailable', advice: 'the bytes were damaged on the way' },
  NoSuchUpload: { code: 'Unavailable', advice: 'somebody removed the upload while it ran' },
  ObjectLocked: { code: 'Retained', advice: 'an object lock keeps it' },
  InvalidObjectState: {
    code: 'InvalidConfig',
    advice: 'it is in an archive class of storage; restore it in S3 first',
  },
  TimeoutError: unreachable,
  ECONNREFUSED: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
  ECONNRESET: broken,
  EPIPE: broken,
  ERR_STREAM_PREMATURE_CLOSE: broken,
  CERT_HAS_EXPIRED: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: untrusted,
};

/**
 * By the status alone: an answer to HEAD has no body that tells a code, and a proxy knows no codes. 404 is not among them: the
 * client calls the one of HEAD NotFound, and any other one without a known code is not about the object.
 */
const meaningsByStatus: Readonly<Record<number, Meaning>> = {
  301: wrongRegion,
  307: wrongRegion,
  401: wrongCredentials,
  403: denied,
  412: precondition,
  429: rateLimited,
  501: { code: 'InvalidConfig', advice: 'the server does not know how to do that' },
};

/** Says what an error of the client means. */
export function failureOf(error: unknown): StoreFailure {
  const { name, code, message, status, retryAfterMs, region } = factsOf(error);
  const meaning =
    lockMeaning(name, message) ??
    meaningsByName[code] ??
    meaningsByName[name] ??
    meaningsByStatus[status] ??
    (status >= 500 ? unavailable : undefined);
  if (meaning === undefined) {
    const isRefused = status >= 400 && status < 500;
    const reason = isRefused ? `the server refused the request: ${name}: ${message}` : message;
    return { code: isRefused ? 'InvalidConfig' : 'Unknown', reason };
  }
  const hint = meaning === wrongRegion && region !== undefined ? ` (it is in ${region})` : '';
  return { code: meaning.code, reason: `${meaning.advice}${hint}`, retryAfterMs };
}

/** What the client knows of the last answer to a request that failed, and how often it was sent. */
export function answerOf(error: unknown): {
  readonly httpStatusCode?: number;
  readonly attempts?: number;
} {
  return (error as ClientError | null | undefined)?.$metadata ?? {};
}

/** Whether the client has sent a conditional write again: the first one may have come through, and only its answer was lost. */
export function mayHaveWon(error: unknown): boolean {
  const { httpStatusCode, attempts = 1 } = answerOf(error);
  return httpStatusCode === 412 && attempts > 1;
}

/** The error of a call that these options or this bucket cannot do. */
export function unusable(operation: string, reason: string, target: string): ObjectStoreError {
  return new ObjectStoreError(`${operation}: ${reason}`, {
    code: 'InvalidConfig',
    operation,
    target,
  });
}

// S3 has no code of its own for a lock that forbids: it is AccessDenied, and only the text tells.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
function lockMeaning(name: string, message: string): Meaning | undefined {
  return name === 'AccessDenied' && /object lock|WORM/i.test(message)
    ? meaningsByName['ObjectLocked']
    : undefined;
}

interface ErrorFacts {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly region: string | undefined;
}

interface ClientError {
  readonly name?: unknown;
  readonly code?: unknown;
  /** Of the bucket, in the body of an answer to a request that was signed for another region. */
  readonly Region?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: {
    readonly statusCode?: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
}

function factsOf(error: unknown): ErrorFacts {
  const { name, code, Region, $metadata, $response } = (
    typeof error === 'object' && error !== null ? error : {}
  ) as ClientError;
  const headers = $response?.headers ?? {};
  return {
    name: typeof name === 'string' ? name : '',
    code: typeof code === 'string' ? code : '',
    message: error instanceof Error ? error.message : String(error),
    status: $metadata?.httpStatusCode ?? $response?.statusCode ?? 0,
    retryAfterMs: retryAfterMsOf(headers['retry-after']),
    region: headers['x-amz-bucket-region'] ?? (typeof Region === 'string' ? Region : undefined),
  };
}

/** Seconds, or a date: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
function retryAfterMsOf(header: string | undefined): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
