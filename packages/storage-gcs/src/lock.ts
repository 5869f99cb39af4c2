import type { ObjectLock } from '@lifeboat/core';

/** What the service says about the lock of an object. */
export interface LockResource {
  readonly retention?: { readonly mode?: string; readonly retainUntilTime?: string };
  readonly temporaryHold?: boolean;
}

/** The lock of an object, in the words of the port: `Locked` retention can be lifted by nobody. */
export function lockOf({ retention, temporaryHold = false }: LockResource): ObjectLock {
  const until = retention?.retainUntilTime;
  return {
    retention:
      until === undefined
        ? undefined
        : {
            mode: retention?.mode === 'Locked' ? 'compliance' : 'governance',
            until: new Date(until),
          },
    legalHold: temporaryHold,
  };
}

/** The change of an object's metadata that locks it. A temporary hold is what other stores call a legal hold. */
export function lockPatch({ retention, legalHold }: ObjectLock): LockResource {
  return {
    ...(retention && {
      retention: {
        mode: retention.mode === 'compliance' ? 'Locked' : 'Unlocked',
        retainUntilTime: retention.until.toISOString(),
      },
    }),
    ...(legalHold !== undefined && { temporaryHold: legalHold }),
  };
}
