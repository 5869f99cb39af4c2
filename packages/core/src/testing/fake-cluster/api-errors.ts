import { ClusterError, type InvalidField } from '../../errors.ts';

/** The call that an error is about. */
export interface ApiCall {
  /** `Cluster.create`, `Cluster.patch`, … */
  readonly operation: string;
  /** `persistentvolumeclaims shop/data` */
  readonly target: string;
}

/** 404 */
export function notFoundError({ operation, target }: ApiCall, detail: string): ClusterError {
  return new ClusterError(`${operation} ${target}: ${detail}`, {
    code: 'NotFound',
    operation,
    target,
    httpStatus: 404,
    reason: 'NotFound',
  });
}

/** 409 on create */
export function alreadyExistsError({ operation, target }: ApiCall): ClusterError {
  return new ClusterError(`${operation} ${target}: an object of this name already exists`, {
    code: 'AlreadyExists',
    operation,
    target,
    httpStatus: 409,
    reason: 'AlreadyExists',
  });
}

/** 409 on a stale version, a failed precondition, or a field that another manager owns */
export function conflictError(
  { operation, target }: ApiCall,
  detail: string,
  invalidFields: readonly InvalidField[] = [],
): ClusterError {
  return new ClusterError(`${operation} ${target}: ${detail}`, {
    code: 'Conflict',
    operation,
    target,
    httpStatus: 409,
    reason: 'Conflict',
    invalidFields,
  });
}

/** 422 with the refused fields */
export function invalidError(
  { operation, target }: ApiCall,
  invalidFields: readonly InvalidField[],
): ClusterError {
  const fields = invalidFields.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new ClusterError(`${operation} ${target}: the object is invalid: ${fields}`, {
    code: 'Invalid',
    operation,
    target,
    httpStatus: 422,
    reason: 'Invalid',
    invalidFields,
  });
}

/** 400 */
export function badRequestError({ operation, target }: ApiCall, detail: string): ClusterError {
  return new ClusterError(`${operation} ${target}: ${detail}`, {
    code: 'Invalid',
    operation,
    target,
    httpStatus: 400,
    reason: 'BadRequest',
  });
}

/** 403 */
export function forbiddenError(
  { operation, target }: ApiCall,
  detail: string,
  invalidFields: readonly InvalidField[] = [],
): ClusterError {
  return new ClusterError(`${operation} ${target}: ${detail}`, {
    code: 'Forbidden',
    operation,
    target,
    httpStatus: 403,
    reason: 'Forbidden',
    invalidFields,
  });
}

/** 405 */
export function methodNotAllowedError({ operation, target }: ApiCall): ClusterError {
  return new ClusterError(`${operation} ${target}: the resource does not support this method`, {
    code: 'Unknown',
    operation,
    target,
    httpStatus: 405,
    reason: 'MethodNotAllowed',
  });
}

/** 410 */
export function goneError({ operation, target }: ApiCall, resourceVersion: string): ClusterError {
  return new ClusterError(
    `${operation} ${target}: resource version ${resourceVersion} is too old`,
    {
      code: 'Gone',
      operation,
      target,
      httpStatus: 410,
      reason: 'Expired',
    },
  );
}

/** 413 */
export function tooLargeError({ operation, target }: ApiCall, limitBytes: number): ClusterError {
  return new ClusterError(`${operation} ${target}: the object is larger than ${limitBytes} bytes`, {
    code: 'Invalid',
    operation,
    target,
    httpStatus: 413,
    reason: 'RequestEntityTooLarge',
  });
}

/** A call after `close`. */
export function closedError({ operation, target }: ApiCall): ClusterError {
  return new ClusterError(`${operation} ${target}: the cluster has been closed`, {
    code: 'Closed',
    operation,
    target,
  });
}
