import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import { parseDuration } from '../model/duration.ts';
import type { BackupEvent } from '../model/event.ts';
import {
  describeObject,
  identifierOf,
  type KubernetesObject,
  type ResourceIdentifier,
  referenceTo,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';
import { chooseVolumeSnapshotClass } from '../snapshot/snapshot-class.ts';
import type { SnapshotSession } from '../snapshot/snapshot-session.ts';
import type { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import type { BackupRecord } from './backup-record.ts';
import { decideVolume } from './volume-decision.ts';
import { skippedVolumeInfo } from './volume-info.ts';

/** How the snapshot of one held claim ended. */
export type VolumeOutcome =
  | {
      readonly claim: KubernetesObject;
      readonly volume: KubernetesObject;
      readonly snapshot: ReadySnapshot;
    }
  | {
      readonly claim: KubernetesObject;
      readonly volume: KubernetesObject;
      readonly error: unknown;
    };

/** What {@link VolumeBackups} works with. */
export interface VolumeBackupsOptions {
  readonly cluster: Cluster;
  readonly backup: Backup;
  readonly record: BackupRecord;
  readonly snapshotter: VolumeSnapshotter;
  readonly runId: string;
  /** Driver → class name, chosen by the caller. */
  readonly volumeSnapshotClasses?: Readonly<Record<string, string>> | undefined;
  readonly onEvent: (event: BackupEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * The volumes of one backup: decides what becomes of each claim's data, requests the snapshots, and holds their claims back
 * until they are ready or have failed. What is held is bounded by the number of snapshotted claims.
 */
export class VolumeBackups {
  readonly #options: VolumeBackupsOptions;
  readonly #held: Promise<VolumeOutcome>[] = [];
  #session: Promise<SnapshotSession> | undefined;
  #classes: Promise<readonly KubernetesObject[]> | undefined;

  constructor(options: VolumeBackupsOptions) {
    this.#options = options;
  }

  /**
   * Requests the snapshot of a claim and holds the claim back; `false` when there is nothing to snapshot.
   *
   * @throws LifeboatError code SnapshotFailed when the volume should be snapshotted but no class is fit for it.
   */
  async holdBack(claim: KubernetesObject): Promise<boolean> {
    const { backup, record, cluster, signal } = this.#options;
    const volumeName = stringAt(claim, ['spec', 'volumeName']);
    const volume =
      volumeName === undefined
        ? undefined
        : await cluster.get({ ...Resources.persistentVolumes, name: volumeName }, { signal });
    const decision = decideVolume({ claim, volume, snapshotVolumes: backup.spec.snapshotVolumes });
    if (decision.action === 'skip') {
      record.addWarning({
        reason: decision.reason,
        message: decision.message,
        object: claimIdentifier(claim),
      });
      if (volume !== undefined) {
        record.addVolume(skippedVolumeInfo(claim, volume, decision.message));
      }
      return false;
    }
    const snapshotClass = await this.#chooseClass(claim, decision.driver);
    record.addSnapshotAttempt();
    const session = await (this.#session ??= this.#openSession());
    this.#held.push(this.#take(session, claim, decision.volume, decision.driver, snapshotClass));
    return true;
  }

  /** Yields each held claim with its snapshot or its failure, in the order in which they were held. */
  async *outcomes(): AsyncIterable<VolumeOutcome> {
    for (const held of this.#held) {
      yield await held;
    }
  }

  /** Removes or keeps the snapshot objects of a complete backup; what could not be done is an issue, not a failure. */
  async settle(snapshotObjects: 'remove' | 'keep', signal: AbortSignal): Promise<void> {
    await this.#forEachReady(async (session, snapshot) => {
      await (snapshotObjects === 'remove'
        ? session.detach(snapshot, { signal })
        : session.keep(snapshot, { signal }));
    }, 'SnapshotObjectsLeft');
  }

  /** Frees every snapshot that was taken, for a backup that will not be. */
  async discard(signal: AbortSignal): Promise<void> {
    await this.#forEachReady(async (session, snapshot) => {
      await session.discard(snapshot, { signal });
    }, 'SnapshotLeft');
  }

  /** Ends the watches. */
  async close(): Promise<void> {
    if (this.#session !== undefined) {
      const session = await this.#session.catch(() => undefined);
      await session?.[Symbol.asyncDispose]();
    }
  }

  async #forEachReady(
    work: (session: SnapshotSession, snapshot: ReadySnapshot) => Promise<void>,
    reason: string,
  ): Promise<void> {
    if (this.#session === undefined) {
      return;
    }
    const session = await this.#session;
    await Promise.all(
      this.#held.map(async (held) => {
        const outcome = await held;
        if (!('snapshot' in outcome)) {
          return;
        }
        try {
          await work(session, outcome.snapshot);
        } catch (error) {
          this.#options.record.addWarning({
            reason,
            message: messageOf(error),
            object: claimIdentifier(outcome.claim),
          });
        }
      }),
    );
  }

  #openSession(): Promise<SnapshotSession> {
    const { backup, snapshotter, runId, signal } = this.#options;
    return snapshotter.openSession({ backupName: backup.metadata.name, runId, signal });
  }

  // Settles with a value, so that a failure waits for its turn instead of becoming an unhandled rejection.
  async #take(
    session: SnapshotSession,
    claim: KubernetesObject,
    volume: KubernetesObject,
    driver: string,
    snapshotClass: KubernetesObject,
  ): Promise<VolumeOutcome> {
    const { backup, onEvent, signal } = this.#options;
    const { name: claimName, namespace = '' } = claim.metadata;
    try {
      const snapshot = await session.take(
        {
          claim,
          volume,
          snapshotClass,
          handleTimeoutMs: parseDuration(backup.spec.csiSnapshotTimeout ?? ''),
          readyTimeoutMs: parseDuration(backup.spec.itemOperationTimeout ?? ''),
          onState: (state, details) => {
            onEvent({ type: 'snapshot', state, namespace, claimName, driver, ...details });
          },
        },
        { signal },
      );
      return { claim, volume, snapshot };
    } catch (error) {
      return { claim, volume, error };
    }
  }

  async #chooseClass(claim: KubernetesObject, driver: string): Promise<KubernetesObject> {
    const { backup, cluster, record, signal, volumeSnapshotClasses } = this.#options;
    const storageClassName = stringAt(claim, ['spec', 'storageClassName']) ?? '';
    const storageClass =
      storageClassName === ''
        ? undefined
        : await cluster.get({ ...Resources.storageClasses, name: storageClassName }, { signal });
    const choice = chooseVolumeSnapshotClass({
      classes: await (this.#classes ??= this.#listClasses()),
      driver,
      provisioner: storageClass && stringAt(storageClass, ['provisioner']),
      claimAnnotations: claim.metadata.annotations ?? {},
      backupAnnotations: backup.metadata.annotations ?? {},
      explicit: volumeSnapshotClasses?.[driver],
    });
    if ('refusal' in choice) {
      throw new LifeboatError(choice.refusal, {
        code: 'SnapshotFailed',
        operation: 'backup',
        target: describeObject(claimIdentifier(claim)),
      });
    }
    for (const message of choice.warnings) {
      record.addWarning({
        reason: 'SnapshotClassAmbiguous',
        message,
        object: claimIdentifier(claim),
      });
    }
    return choice.snapshotClass;
  }

  async #listClasses(): Promise<readonly KubernetesObject[]> {
    const { cluster, signal } = this.#options;
    try {
      return await Array.fromAsync(cluster.list(Resources.volumeSnapshotClasses, { signal }));
    } catch (error) {
      // A cluster without the snapshot CRDs has no class; the refusal then names what is missing.
      if (isLifeboatError(error, 'NotFound')) {
        return [];
      }
      throw error;
    }
  }
}

function claimIdentifier(claim: KubernetesObject): ResourceIdentifier {
  return identifierOf(referenceTo(Resources.persistentVolumeClaims, claim));
}
