import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { Logger } from '../ports/logger.ts';
import type { DriverSlots } from './driver-slots.ts';
import type { SnapshotObserver } from './snapshot-observer.ts';

/** What the snapshots of one session share. */
export interface SnapshotContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: SnapshotObserver;
  readonly slots: DriverSlots;
  readonly backupName: string;
  readonly runId: string;
  readonly errorGraceMs: number;
  readonly diagnoseAfterMs: number;
  readonly cleanUpTimeoutMs: number;
}
