import { ClusterError, type LifeboatErrorCode } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ApiCall } from './api-errors.ts';
import type { ClusterRequest } from './request-log.ts';

/** What goes wrong with a request to a FakeCluster, and with which. A condition that is absent fits every request. */
export interface ClusterFault {
  readonly operation?: ClusterRequest['operation'] | undefined;
  /** `<resource>` or `<resource>.<group>`. */
  readonly resource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** How many of the fitting requests it hits. @default every one */
  readonly times?: number | undefined;
  /** How many of the fitting requests pass first. @default 0 */
  readonly after?: number | undefined;
  /** Waited for, by the clock of the cluster, before the request is carried out or fails. @default 0 */
  readonly delayMs?: number | undefined;
  /** What the request fails with: a code, or the very value to throw. Absent: it is only delayed. */
  readonly error?: LifeboatErrorCode | Error | undefined;
  /** Whether the request is carried out although it fails, as when the answer is lost on the way. @default false */
  readonly answerLost?: boolean | undefined;
}

const retryableCodes: ReadonlySet<LifeboatErrorCode> = new Set([
  'Timeout',
  'Unavailable',
  'RateLimited',
]);
const httpStatusOf: Readonly<Partial<Record<LifeboatErrorCode, number>>> = {
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Invalid: 422,
  RateLimited: 429,
  Unavailable: 503,
  Timeout: 504,
};

interface ArmedFault {
  readonly fault: ClusterFault;
  passes: number;
  left: number;
}

/** The faults of one client of a FakeCluster. */
export interface ClusterFaults {
  /** Makes fitting requests fail or wait from now on, until the fault has hit as often as it says or is disposed. */
  inject(fault: ClusterFault): Disposable;
  /** Removes every fault. */
  clear(): void;
}

/** Keeps faults and strikes requests with them. */
export class ClusterFaultInjector implements ClusterFaults {
  readonly #armed: Set<ArmedFault> = new Set();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  inject(fault: ClusterFault): Disposable {
    const armed: ArmedFault = {
      fault,
      passes: fault.after ?? 0,
      left: fault.times ?? Number.POSITIVE_INFINITY,
    };
    this.#armed.add(armed);
    return {
      [Symbol.dispose]: () => {
        this.#armed.delete(armed);
      },
    };
  }

  clear(): void {
    this.#armed.clear();
  }

  /** Carries out a request under the first fault that fits it. */
  async around<T>(
    request: ClusterRequest,
    call: ApiCall,
    signal: AbortSignal | undefined,
    carryOut: () => T,
  ): Promise<T> {
    const fault = this.#next(request);
    if (fault?.delayMs !== undefined) {
      await this.#clock.sleep(fault.delayMs, signal);
    }
    if (fault?.error === undefined) {
      return carryOut();
    }
    if (fault.answerLost === true) {
      carryOut();
    }
    throw typeof fault.error === 'string' ? injectedError(fault.error, call) : fault.error;
  }

  #next(request: ClusterRequest): ClusterFault | undefined {
    for (const armed of this.#armed) {
      if (!fits(armed.fault, request)) {
        continue;
      }
      if (armed.passes > 0) {
        armed.passes -= 1;
        continue;
      }
      armed.left -= 1;
      if (armed.left <= 0) {
        this.#armed.delete(armed);
      }
      return armed.fault;
    }
    return undefined;
  }
}

function fits(fault: ClusterFault, request: ClusterRequest): boolean {
  return (
    (fault.operation === undefined || fault.operation === request.operation) &&
    (fault.resource === undefined || fault.resource === request.resource) &&
    (fault.namespace === undefined || fault.namespace === request.namespace) &&
    (fault.name === undefined || fault.name === request.name)
  );
}

function injectedError(code: LifeboatErrorCode, { operation, target }: ApiCall): ClusterError {
  return new ClusterError(`${operation} ${target}: injected fault ${code}`, {
    code,
    operation,
    target,
    retryable: retryableCodes.has(code),
    httpStatus: httpStatusOf[code],
  });
}
