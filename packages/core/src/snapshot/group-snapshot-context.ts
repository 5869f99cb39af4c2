import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { Logger } from '../ports/logger.ts';
import type { DriverSlots } from './driver-slots.ts';
import type { GroupSnapshotResources } from './group-resources.ts';

/** What the group snapshots of one run share. */
export interface GroupSnapshotContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly resources: GroupSnapshotResources;
  readonly slots: DriverSlots;
  readonly backupName: string;
  readonly runId: string;
  readonly errorGraceMs: number;
  readonly diagnoseAfterMs: number;
  readonly cleanUpTimeoutMs: number;
}
