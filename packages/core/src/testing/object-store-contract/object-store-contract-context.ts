import type { ObjectStore } from '../../ports/object-store.ts';
import type { ContractCase } from '../contract-case.ts';

/**
 * What a case may ask of its host: that the store declares the capability `ifAbsent` or has the method `signUrl`, or the name
 * of the optional member of {@link ObjectStoreContractContext} that it uses.
 */
export type ObjectStoreContractNeed =
  | 'ifAbsent'
  | 'signUrl'
  | 'open'
  | 'requestCount'
  | 'danglingUploads'
  | 'lockableStore'
  | 'unauthorizedStore'
  | 'unreachableStore';

/** One rule of the ObjectStore port. */
export type ObjectStoreContractCase = ContractCase<
  ObjectStoreContractContext,
  ObjectStoreContractNeed
>;

/** What a host gives each case. */
export interface ObjectStoreContractContext {
  /** The store under test, with every right. Cases may share it and its bucket, and may run side by side. */
  readonly store: ObjectStore;
  /** Ends in `/`, and is used by one case only, which removes what it put there: `contract/4f1c/12/`. */
  readonly prefix: string;
  /** Opens another store of the same kind, which the case closes. */
  readonly open?: (() => ObjectStore) | undefined;
  /** Aborts when the case has taken too long. */
  readonly signal: AbortSignal;
  /** How many bytes the store uploads at a time; bodies around that size are tried. @default 65536 */
  readonly partSizeBytes?: number | undefined;
  /** How long keys can be that the store takes, its own prefix left out. @default 1024 */
  readonly longestKeyBytes?: number | undefined;
  /** How many keys the store lists at a time; more than those are put. @default 1000 */
  readonly pageSize?: number | undefined;
  /**
   * How long a change may take until every read sees it: cases wait for so long after each. A store that keeps the contract needs
   * none.
   * @default 0
   */
  readonly settleMs?: number | undefined;
  /** Counts the requests that the store has sent so far. No other case may use the store meanwhile. */
  readonly requestCount?: (() => number) | undefined;
  /** Counts the uploads below a prefix that were begun and neither finished nor undone. */
  readonly danglingUploads?: ((prefix: string) => Promise<number>) | undefined;
  /** A store of the same kind whose objects can be locked. */
  readonly lockableStore?: ObjectStore | undefined;
  /** The same store with credentials that give no right to it. */
  readonly unauthorizedStore?: ObjectStore | undefined;
  /** A store at an address where nothing answers. */
  readonly unreachableStore?: ObjectStore | undefined;
}

/** What a case needs and the host does not give: the host then leaves the case out, and says so. */
export function unmetNeed(
  { needs }: ObjectStoreContractCase,
  context: ObjectStoreContractContext,
): ObjectStoreContractNeed | undefined {
  if (needs === undefined) {
    return undefined;
  }
  return isMet(needs, context) ? undefined : needs;
}

function isMet(need: ObjectStoreContractNeed, context: ObjectStoreContractContext): boolean {
  switch (need) {
    case 'ifAbsent':
      return context.store.capabilities.ifAbsent;
    case 'signUrl':
      return context.store.signUrl !== undefined;
    default:
      return context[need] !== undefined;
  }
}
