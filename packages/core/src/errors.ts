import {
  describeObject,
  type ObjectReference,
  type ResourceIdentifier,
} from './model/kubernetes.ts';

/**
 * What went wrong, as a closed set that callers can switch on. docs/reference/errors.md says for each what it means,
 * whether to retry and what to do.
 */
export type LifeboatErrorCode =
  // Either side
  | 'NotFound'
  | 'AlreadyExists'
  | 'Timeout'
  | 'Unavailable'
  | 'RateLimited'
  | 'Closed'
  | 'Unknown'
  // Cluster
  | 'Conflict'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Invalid'
  | 'Gone'
  // Object store
  | 'PermissionDenied'
  | 'PreconditionFailed'
  | 'Retained'
  | 'InvalidConfig'
  // Engine
  | 'Validation'
  | 'Unsupported'
  | 'CorruptBackup'
  | 'SnapshotFailed'
  | 'TargetChanged';

/** The fields of a {@link LifeboatError}. */
export interface LifeboatErrorOptions {
  readonly code: LifeboatErrorCode;
  /** What was being done: `ObjectStore.put`, `Cluster.create`, `backup`. */
  readonly operation: string;
  /** On what: a key, an object, a name. Never a secret. */
  readonly target?: string | undefined;
  /** Whether the same call may succeed later without anything being changed. @default false */
  readonly retryable?: boolean | undefined;
  /** How long the server asked to wait before a retry, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

// A brand, because `instanceof` fails when an application holds two copies of the package.
const brand: unique symbol = Symbol.for('lifeboat.error');

/**
 * The base of every error that Lifeboat throws. An abort is not one of them: an aborted call rejects with `signal.reason`.
 */
export class LifeboatError extends Error {
  readonly code: LifeboatErrorCode;
  readonly operation: string;
  readonly target: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: LifeboatErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.operation = options.operation;
    this.target = options.target;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'LifeboatError' });
    Object.defineProperty(this.prototype, brand, { value: true });
  }
}

/** A failed call to an object store. */
export class ObjectStoreError extends LifeboatError {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'ObjectStoreError' });
  }
}

/** One field that the API server refused, from `status.details.causes` of a 422. */
export interface InvalidField {
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

/** The fields of a {@link ClusterError}. */
export interface ClusterErrorOptions extends LifeboatErrorOptions {
  readonly httpStatus?: number | undefined;
  /** `reason` of the server's Status: `AlreadyExists`, `Expired`, … */
  readonly reason?: string | undefined;
  readonly invalidFields?: readonly InvalidField[] | undefined;
}

/** A failed call to an API server. */
export class ClusterError extends LifeboatError {
  readonly httpStatus: number | undefined;
  readonly reason: string | undefined;
  readonly invalidFields: readonly InvalidField[];

  constructor(message: string, options: ClusterErrorOptions) {
    super(message, options);
    this.httpStatus = options.httpStatus;
    this.reason = options.reason;
    this.invalidFields = options.invalidFields ?? [];
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'ClusterError' });
  }
}

/**
 * Whether an error says that the API server could not be reached at all, as opposed to having answered that something is
 * unavailable. Then every further request would fail too.
 */
export function isServerUnreachable(error: unknown): boolean {
  return (
    isLifeboatError(error, 'Unavailable') && 'httpStatus' in error && error.httpStatus === undefined
  );
}

/** One rule that a request breaks. */
export interface Violation {
  /** Where in the request: `spec.includedNamespaces[0]`. */
  readonly path: string;
  /** The rule, as a sentence a user understands. */
  readonly rule: string;
  /** The value that was received, for the message. */
  readonly received?: unknown;
}

/** A request that cannot be carried out as it stands. Holds every violation, not only the first; nothing was touched. */
export class ValidationError extends LifeboatError {
  readonly violations: readonly Violation[];

  constructor(operation: string, violations: readonly Violation[]) {
    super(
      `${operation}: the request is not valid: ${violations.map(describeViolation).join('; ')}`,
      {
        code: 'Validation',
        operation,
      },
    );
    this.violations = violations;
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'ValidationError' });
  }
}

/**
 * Whether a value is an error of Lifeboat, and of a code if one is given. Works across copies of the package, where
 * `instanceof` does not.
 */
export function isLifeboatError<C extends LifeboatErrorCode>(
  error: unknown,
  code?: C,
): error is LifeboatError & { readonly code: C } {
  return (
    typeof error === 'object' &&
    error !== null &&
    brand in error &&
    (code === undefined || ('code' in error && error.code === code))
  );
}

/** The message of anything thrown, for use inside another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Names the object of a cluster error's `target`. */
export function targetOf(object: ResourceIdentifier | ObjectReference): string {
  return describeObject(object);
}

function describeViolation({ path, rule, received }: Violation): string {
  return received === undefined
    ? `${path} ${rule}`
    : `${path} ${rule} (received ${JSON.stringify(received)})`;
}
