import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { DriverSlots } from './driver-slots.ts';
import { groupSnapshotResources } from './group-resources.ts';
import { GroupSnapshotSession } from './group-snapshot-session.ts';
import { servedSnapshotApi } from './served-snapshot-api.ts';
import { SnapshotObserver } from './snapshot-observer.ts';
import { SnapshotSession } from './snapshot-session.ts';

/** Options of {@link VolumeSnapshotter}. */
export interface VolumeSnapshotterOptions {
  readonly cluster: Cluster;
  /** @default the system's clock */
  readonly clock?: Clock | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
  /**
   * How many snapshots of one driver may be without a handle at a time, over all sessions; a group counts as one. Cloud storage refuses bursts of
   * about fifteen. While a driver says that it is busy, fewer are requested. Of one volume it is one at a time. @default 8
   */
  readonly concurrencyPerDriver?: number | undefined;
  /**
   * How long an error of the driver may stand before it fails the snapshot. The sidecar calls the driver again several times
   * within a second and then after half a minute. That a driver is busy or does not answer is waited for as long as the
   * handle of a snapshot. @default 40000
   */
  readonly errorGraceMs?: number | undefined;
  /** After how long without a handle it is looked into why; see `onDelay` of a request. @default 30000 */
  readonly diagnoseAfterMs?: number | undefined;
  /** How long the removal of a snapshot's objects may take. @default 30000 */
  readonly cleanUpTimeoutMs?: number | undefined;
}

/** Which run a session belongs to. */
export interface SnapshotSessionRequest extends CallOptions {
  readonly backupName: string;
  /** A UUID; becomes the label `lifeboat.dev/run`. */
  readonly runId: string;
}

/** Takes CSI volume snapshots through the Kubernetes VolumeSnapshot API, v1 or v1beta1. */
export class VolumeSnapshotter {
  readonly #options: VolumeSnapshotterOptions;
  readonly #slots: DriverSlots;

  constructor(options: VolumeSnapshotterOptions) {
    const { concurrencyPerDriver = 8 } = options;
    this.#options = { ...options, cluster: servedSnapshotApi(options.cluster) };
    this.#slots = new DriverSlots(concurrencyPerDriver);
  }

  /**
   * Opens a session for one run: starts a watch on VolumeSnapshots and one on VolumeSnapshotContents, and resolves once both
   * stand. The signal ends the opening only; the session lives until it is disposed of, so that an aborted run can clean up.
   *
   * @throws {LifeboatError} code Unsupported when the cluster has no VolumeSnapshot API.
   * @throws {ClusterError} code Forbidden when the caller may not watch snapshot objects.
   */
  async openSession({
    backupName,
    runId,
    signal,
  }: SnapshotSessionRequest): Promise<SnapshotSession> {
    const {
      cluster,
      clock = systemClock,
      logger = silentLogger,
      errorGraceMs = 40_000,
      diagnoseAfterMs = 30_000,
      cleanUpTimeoutMs = 30_000,
    } = this.#options;
    const observer = await SnapshotObserver.open({ cluster, runId }, { signal });
    const slots = this.#slots;
    const limits = { errorGraceMs, diagnoseAfterMs, cleanUpTimeoutMs };
    return new SnapshotSession({
      cluster,
      clock,
      logger,
      observer,
      slots,
      backupName,
      runId,
      ...limits,
    });
  }

  /**
   * Opens a session for the group snapshots of one run; `undefined` where the cluster does not serve VolumeGroupSnapshots.
   * There is nothing to close.
   */
  async openGroupSession({
    backupName,
    runId,
    signal,
  }: SnapshotSessionRequest): Promise<GroupSnapshotSession | undefined> {
    const {
      cluster,
      clock = systemClock,
      logger = silentLogger,
      errorGraceMs = 40_000,
      diagnoseAfterMs = 30_000,
      cleanUpTimeoutMs = 30_000,
    } = this.#options;
    const resources = groupSnapshotResources(await cluster.discover({ signal }));
    const limits = { errorGraceMs, diagnoseAfterMs, cleanUpTimeoutMs };
    return resources === undefined
      ? undefined
      : new GroupSnapshotSession({
          cluster,
          clock,
          logger,
          resources,
          slots: this.#slots,
          backupName,
          runId,
          ...limits,
        });
  }
}
