import { ClusterError, type InvalidField, type LifeboatErrorCode } from '../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { objectsAt, stringAt } from '../model/object-path.ts';

/** What was being done, and on what: the beginning of every message. */
export interface ErrorSubject {
  readonly operation: string;
  readonly target: string;
}

/** An answer of the API server other than success. */
export interface Refusal {
  readonly httpStatus: number;
  /** The body, if it is JSON. */
  readonly body?: JsonValue | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** A request that got no whole answer. */
export interface ConnectionFailure {
  readonly code: Extract<LifeboatErrorCode, 'Unavailable' | 'Timeout' | 'Unknown'>;
  /** Whether the server cannot have seen the request. */
  readonly isUnsent: boolean;
  readonly retryable: boolean;
  readonly why: string;
}

// `reason` of a Status comes first: one HTTP status stands for several (409: AlreadyExists, Conflict).
const codesByReason: ReadonlyMap<string, LifeboatErrorCode> = new Map([
  ['AlreadyExists', 'AlreadyExists'],
  ['Conflict', 'Conflict'],
  ['NotFound', 'NotFound'],
  ['Unauthorized', 'Unauthorized'],
  ['Forbidden', 'Forbidden'],
  ['Invalid', 'Invalid'],
  ['BadRequest', 'Invalid'],
  ['Gone', 'Gone'],
  ['Expired', 'Gone'],
  ['Timeout', 'Timeout'],
  ['ServerTimeout', 'Timeout'],
  ['TooManyRequests', 'RateLimited'],
]);

const codesByStatus: ReadonlyMap<number, LifeboatErrorCode> = new Map([
  [400, 'Invalid'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'Invalid'],
  [406, 'Invalid'],
  [408, 'Timeout'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [413, 'Invalid'],
  [415, 'Invalid'],
  [422, 'Invalid'],
  [429, 'RateLimited'],
  [504, 'Timeout'],
]);

const advice: Partial<Record<LifeboatErrorCode, string>> = {
  Unauthorized: 'check the credentials of the kubeconfig',
  Forbidden: 'grant the user this right, or use another user',
  RateLimited: 'try again later, or with less concurrency',
  Timeout: 'try again; a write may have been carried out',
  Unavailable: 'check that the API server runs and can be reached, then try again',
};

const retryableCodes: ReadonlySet<LifeboatErrorCode> = new Set([
  'Timeout',
  'RateLimited',
  'Unavailable',
]);
const longestReason = 1_000;

/** The error for an answer other than success: what failed, on what, why, and what to do. */
export function refusalError({ operation, target }: ErrorSubject, refusal: Refusal): ClusterError {
  const { httpStatus, body, retryAfterMs } = refusal;
  const status = isJsonObject(body) ? body : {};
  const reason = stringAt(status, ['reason']);
  const code = codeOf(httpStatus, reason);
  const answer = reason === undefined ? String(httpStatus) : `${httpStatus} ${reason}`;
  const message = shorten(stringAt(status, ['message']) ?? 'the API server gave no reason');
  return new ClusterError(`${operation} ${target}: ${message} (${answer})${adviceFor(code)}`, {
    code,
    operation,
    target,
    retryable: retryableCodes.has(code),
    retryAfterMs,
    httpStatus,
    reason,
    invalidFields: code === 'Invalid' ? invalidFieldsOf(status) : [],
  });
}

/** The error for a request that got no whole answer of a server. */
export function connectionError(
  { operation, target }: ErrorSubject,
  cause: unknown,
  server: string,
): ClusterError {
  const { code, why, retryable } = connectionFailure(cause);
  const hint = code === 'Unavailable' && !retryable ? '' : adviceFor(code);
  return new ClusterError(`${operation} ${target} at ${server}: ${why}${hint}`, {
    code,
    operation,
    target,
    retryable,
    cause,
  });
}

/** The error for a call made after `close`. */
export function closedError({ operation, target }: ErrorSubject): ClusterError {
  return new ClusterError(`${operation} ${target}: the connection to the cluster has been closed`, {
    code: 'Closed',
    operation,
    target,
  });
}

/** The error for an answer that is not what the Kubernetes API promises. */
export function unexpectedAnswer(
  { operation, target }: ErrorSubject,
  what: string,
  cause?: unknown,
): ClusterError {
  return new ClusterError(
    `${operation} ${target}: ${what}; check that the address is that of a Kubernetes API server`,
    { code: 'Unknown', operation, target, cause },
  );
}

// Raised before a byte of the request is written.
const unsentCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const timeoutCodes: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
const certificateCode =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** Sorts the error of a request that got no whole answer. */
export function connectionFailure(error: unknown): ConnectionFailure {
  const code = systemCodeOf(error);
  const detail = code === '' ? '' : ` (${code})`;
  if (timeoutCodes.has(code)) {
    return {
      code: 'Timeout',
      isUnsent: false,
      retryable: true,
      why: `the API server did not answer in time${detail}`,
    };
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return {
      code: 'Unknown',
      isUnsent: false,
      retryable: false,
      why: `the answer is too large${detail}`,
    };
  }
  if (certificateCode.test(code)) {
    const why = `the API server's certificate was not accepted, or it did not accept ours${detail}; check the certificates of the kubeconfig`;
    return { code: 'Unavailable', isUnsent: true, retryable: false, why };
  }
  const isUnsent = unsentCodes.has(code);
  const why = isUnsent
    ? `the API server cannot be reached${detail}`
    : `the connection to the API server broke${detail}`;
  return { code: 'Unavailable', isUnsent, retryable: true, why };
}

function codeOf(httpStatus: number, reason: string | undefined): LifeboatErrorCode {
  return (
    codesByReason.get(reason ?? '') ??
    codesByStatus.get(httpStatus) ??
    (httpStatus >= 500 ? 'Unavailable' : 'Unknown')
  );
}

function adviceFor(code: LifeboatErrorCode): string {
  const text = advice[code];
  return text === undefined ? '' : `; ${text}`;
}

function invalidFieldsOf(status: JsonObject): readonly InvalidField[] {
  return objectsAt(status, ['details', 'causes']).map((cause) => ({
    field: stringAt(cause, ['field']) ?? '',
    reason: stringAt(cause, ['reason']) ?? '',
    message: shorten(stringAt(cause, ['message']) ?? ''),
  }));
}

function systemCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= longestReason ? line : `${line.slice(0, longestReason)}…`;
}
