import { isLifeboatError } from '../../errors.ts';
import type { Backup } from '../../model/backup.ts';
import type { Issue } from '../../model/issue.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { BackupItemInput } from '../../ports/item-action.ts';

/** What {@link listOnce} lists. */
export interface ListOnceOptions<T> {
  readonly list: (cluster: Cluster, signal: AbortSignal) => Promise<T>;
  /** What an action goes by when the caller may not list. */
  readonly withoutRights: T;
  /** What the caller is told then, once for each backup. */
  readonly warning: Issue;
}

/** What an action that lists once goes by for one object, and what is to be reported with that object. */
export interface ListedOnce<T> {
  readonly listed: T;
  readonly issues: readonly Issue[];
}

interface Listing<T> {
  readonly listed: T;
  issues: readonly Issue[];
}

/**
 * Makes a list for an action once for each backup, when the first object needs it. A caller without the right to make it
 * gets one warning; any other failure is that of every object that needs the list.
 */
export function listOnce<T>({
  list,
  withoutRights,
  warning,
}: ListOnceOptions<T>): (input: BackupItemInput) => Promise<ListedOnce<T>> {
  const known = new WeakMap<Backup, Promise<Listing<T>>>();
  const read = async ({ cluster, signal }: BackupItemInput): Promise<Listing<T>> => {
    try {
      return { listed: await list(cluster, signal), issues: [] };
    } catch (error) {
      if (!isLifeboatError(error, 'Forbidden')) {
        throw error;
      }
      return { listed: withoutRights, issues: [warning] };
    }
  };
  return async (input) => {
    const pending = known.get(input.backup) ?? read(input);
    known.set(input.backup, pending);
    const listing = await pending;
    const { listed, issues } = listing;
    listing.issues = [];
    return { listed, issues };
  };
}
