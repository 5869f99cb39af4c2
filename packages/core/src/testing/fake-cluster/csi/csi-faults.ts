import type { Clock } from '../../../ports/clock.ts';

/** The calls of the Container Storage Interface that the fake driver answers. */
export type CsiCall =
  | 'CreateVolume'
  | 'DeleteVolume'
  | 'CreateSnapshot'
  | 'DeleteSnapshot'
  | 'ListSnapshots'
  | 'CreateVolumeGroupSnapshot'
  | 'DeleteVolumeGroupSnapshot'
  | 'GetVolumeGroupSnapshot';

/** What goes wrong in the fake CSI driver. A condition that is absent fits every call. */
export interface CsiFault {
  readonly call: CsiCall;
  /** Namespace of the claim. Calls about a handle alone have none. */
  readonly namespace?: string | undefined;
  readonly claimName?: string | undefined;
  /** How many of the fitting calls it hits. @default every one */
  readonly times?: number | undefined;
  /** Waited for, by the clock of the cluster, before the call is carried out or fails. @default 0 */
  readonly delayMs?: number | undefined;
  /** The message that the call fails with. Absent: it succeeds. */
  readonly error?: string | undefined;
  /** Name of the gRPC code of the failure. @default 'Internal' */
  readonly code?: string | undefined;
  /** How long a new snapshot takes to become ready; Infinity: for ever. @default 0 */
  readonly readyAfterMs?: number | undefined;
}

/** What a call is about, for faults that are aimed. */
export interface CsiCallTarget {
  readonly namespace?: string | undefined;
  readonly claimName?: string | undefined;
}

/** A call that the driver failed, worded as the sidecars word it. */
export class CsiCallFailure extends Error {
  constructor(code: string, detail: string) {
    super(`rpc error: code = ${code} desc = ${detail}`);
  }
}

interface ArmedFault {
  readonly fault: CsiFault;
  left: number;
}

/** The faults injected into a fake CSI driver. */
export class CsiFaults {
  readonly #armed: Set<ArmedFault> = new Set();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Arms a fault until it has hit as often as it says or is disposed. */
  inject(fault: CsiFault): Disposable {
    const armed: ArmedFault = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#armed.add(armed);
    return {
      [Symbol.dispose]: () => {
        this.#armed.delete(armed);
      },
    };
  }

  /** Removes every fault. */
  clear(): void {
    this.#armed.clear();
  }

  /** Waits or throws as the fault says that fits a call, and returns it. */
  async strike(
    call: CsiCall,
    target: CsiCallTarget,
    signal: AbortSignal,
  ): Promise<CsiFault | undefined> {
    const fault = this.#next(call, target);
    if (fault?.delayMs !== undefined) {
      await this.#clock.sleep(fault.delayMs, signal);
    }
    if (fault?.error !== undefined) {
      throw new CsiCallFailure(fault.code ?? 'Internal', fault.error);
    }
    return fault;
  }

  #next(call: CsiCall, target: CsiCallTarget): CsiFault | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      const isHit =
        fault.call === call &&
        (fault.namespace === undefined || fault.namespace === target.namespace) &&
        (fault.claimName === undefined || fault.claimName === target.claimName);
      if (isHit) {
        armed.left -= 1;
        if (armed.left <= 0) {
          this.#armed.delete(armed);
        }
        return fault;
      }
    }
    return undefined;
  }
}
