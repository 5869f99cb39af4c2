import { ValidationError } from '../errors.ts';
import { VeleroLabel } from '../model/labels.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { labelOfGroup } from '../snapshot/leftover-group.ts';
import { labelOf } from '../snapshot/leftover-pair.ts';
import { decideLeftovers, type FoundLeftover, type LeftoverRules } from './decide-leftovers.ts';
import type { Leftover } from './leftover.ts';
import { surveyCluster } from './survey-cluster.ts';
import { surveyStore } from './survey-store.ts';
import { surveyUploads } from './survey-uploads.ts';

/** Options of {@link Engine.findLeftovers}. */
export interface FindLeftoversOptions extends CallOptions {
  /**
   * How long something must not have changed to count as left. A run under way looks like one that was killed: choose more
   * than your longest run takes. @default 86400000, a day
   */
  readonly minimumAgeMs?: number | undefined;
  /**
   * Whether to remove what belongs to a backup that this store does not know, storage snapshots included. Another store may
   * know it: `remove` is for a cluster that is backed up into this store only. @default 'report'
   */
  readonly unknownBackups?: 'report' | 'remove' | undefined;
  /** Whether to free what Velero before 1.16 retained for backups that are not in this store. @default 'report' */
  readonly retainedByVelero?: 'report' | 'remove' | undefined;
}

/** What the search needs from the outside. */
export interface FindLeftoversDependencies {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

const dayMs = 24 * 60 * 60 * 1_000;

/** Finds what killed runs have left in a store and a cluster; changes nothing. */
export async function findLeftovers(
  dependencies: FindLeftoversDependencies,
  options: FindLeftoversOptions = {},
): Promise<readonly Leftover[]> {
  const {
    minimumAgeMs = dayMs,
    unknownBackups = 'report',
    retainedByVelero = 'report',
    signal,
  } = options;
  if (!(minimumAgeMs >= 0)) {
    throw new ValidationError('findLeftovers', [
      { path: 'minimumAgeMs', rule: 'must not be negative', received: minimumAgeMs },
    ]);
  }
  const rules = { minimumAgeMs, unknownBackups, retainedByVelero };
  const found = await surveyLeftovers(dependencies, rules, { signal });
  return found.map(({ leftover }) => leftover);
}

/** As {@link findLeftovers}, with the objects themselves. */
export async function surveyLeftovers(
  { cluster, store, clock, logger }: FindLeftoversDependencies,
  rules: LeftoverRules,
  { signal }: CallOptions,
): Promise<readonly FoundLeftover[]> {
  signal?.throwIfAborted();
  // The cluster first: a run that is seen there has its claim in the store, and a backup that is completed in between is
  // seen as complete.
  const { pairs, groups } = await surveyCluster(cluster, { signal });
  const labels = [
    ...pairs.flatMap((pair) => labelOf(pair, VeleroLabel.backupName) ?? []),
    ...groups.flatMap((group) => labelOfGroup(group, VeleroLabel.backupName) ?? []),
  ];
  const directories = await surveyStore(store, { labels: new Set(labels), signal });
  const uploads = await surveyUploads(store, { logger, signal });
  const nowMs = clock.now().getTime();
  return decideLeftovers({ pairs, groups, directories, uploads, nowMs }, rules);
}
