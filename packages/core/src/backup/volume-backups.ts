import { messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import { parseDuration } from '../model/duration.ts';
import type { BackupEvent } from '../model/event.ts';
import {
  identifierOf,
  type KubernetesObject,
  type ResourceIdentifier,
  referenceTo,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Logger } from '../ports/logger.ts';
import type { SnapshotDiagnosis } from '../snapshot/diagnose.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';
import type { SnapshotSession } from '../snapshot/snapshot-session.ts';
import type { SnapshotDetails } from '../snapshot/take-snapshot-request.ts';
import type { ClaimVolumes, HoldBackOptions, NamedClaim } from './claim-volumes.ts';
import { GroupBackups } from './group-backups.ts';
import type { HeldClaim, VolumeOutcome } from './held-claim.ts';
import { type VolumeChoice, VolumeChoices, type VolumeChoicesOptions } from './volume-choices.ts';
import { skippedVolumeInfo } from './volume-info.ts';

/** What {@link VolumeBackups} works with. */
export interface VolumeBackupsOptions extends VolumeChoicesOptions {
  readonly onEvent: (event: BackupEvent) => void;
  readonly logger: Logger;
}

// How many snapshots are detached, kept or freed at a time.
const settledAtATime = 16;

/**
 * The volumes of one backup: decides what becomes of each claim's data, requests the snapshots, and holds their claims back
 * until they are ready or have failed. What is held is bounded by the number of snapshotted claims.
 */
export class VolumeBackups implements ClaimVolumes {
  readonly #options: VolumeBackupsOptions;
  readonly #held: HeldClaim[] = [];
  readonly #choices: VolumeChoices;
  readonly #groups: GroupBackups;
  #session: Promise<SnapshotSession> | undefined;

  constructor(options: VolumeBackupsOptions) {
    this.#options = options;
    this.#choices = new VolumeChoices(options);
    this.#groups = new GroupBackups(options);
  }

  /**
   * Requests the snapshot of a claim and holds the claim back; `false` when there is nothing to snapshot. Does not wait for
   * the snapshot: those of the claims of one pod are requested together, and {@link VolumeBackups.untilCut} waits for them.
   *
   * @throws LifeboatError code SnapshotFailed when the volume should be snapshotted but no class is fit for it.
   */
  async holdBack(
    claim: KubernetesObject,
    { urgent = false, handledBy }: HoldBackOptions = {},
  ): Promise<boolean> {
    const { record } = this.#options;
    const choice = await this.#choices.of(claim, { handledBy });
    const { action, volume } = choice;
    if (action === 'none') {
      if (volume !== undefined) {
        record.addVolume(skippedVolumeInfo(claim, volume, choice.decision.message));
      }
      return false;
    }
    record.addSnapshotAttempt(claim);
    this.#held.push(
      action === 'groupSnapshot'
        ? this.#groups.hold(claim, volume, choice.group)
        : this.#request(await (this.#session ??= this.#openSession()), claim, {
            ...choice,
            urgent,
          }),
    );
    return true;
  }

  /**
   * Resolves when the storage has cut the snapshots of these claims, so that their data may change again, with those that are held. One
   * that is not held, and one whose snapshot has failed, is not waited for: {@link VolumeBackups.outcomes} tells. Never rejects.
   */
  async untilCut(claims: readonly NamedClaim[]): Promise<readonly NamedClaim[]> {
    const keys = new Set(claims.map(keyOf));
    const held = this.#held.filter(({ claim }) => keys.has(keyOf(claim)));
    await Promise.all(held.map(({ cut }) => cut));
    return held.map(({ claim }) => claim);
  }

  /** Yields each held claim with its snapshot or its failure, in the order in which they were held. */
  async *outcomes(): AsyncIterable<VolumeOutcome> {
    for (const { outcome } of this.#held) {
      yield await outcome;
    }
    await this.#groups.reportStrangers();
  }

  /** Yields each snapshot that is ready, in the order of the claims. To be asked when all have ended. */
  async *readySnapshots(): AsyncIterable<ReadySnapshot> {
    for (const { outcome } of this.#held) {
      const ended = await outcome;
      if ('snapshot' in ended) {
        yield ended.snapshot;
      }
    }
  }

  /** Removes or keeps the snapshot objects of a complete backup; what could not be done is an issue, not a failure. */
  async settle(snapshotObjects: 'remove' | 'keep', signal: AbortSignal): Promise<void> {
    await this.#forEachReady(async (session, snapshot) => {
      await (snapshotObjects === 'remove'
        ? session.detach(snapshot, { signal })
        : session.keep(snapshot, { signal }));
    }, 'SnapshotObjectsLeft');
    await this.#groups.settle(snapshotObjects, signal);
  }

  /** Frees every snapshot that was taken, for a backup that will not be. */
  async discard(signal: AbortSignal): Promise<void> {
    await this.#forEachReady(async (session, snapshot) => {
      await session.discard(snapshot, { signal });
    }, 'SnapshotLeft');
    await this.#groups.discard(signal);
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
    const settleOne = async (held: HeldClaim): Promise<void> => {
      const outcome = await held.outcome;
      if (!('snapshot' in outcome) || outcome.snapshot.group !== undefined) {
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
    };
    await runAll(this.#held, settleOne, { concurrency: settledAtATime });
  }

  #openSession(): Promise<SnapshotSession> {
    const { backup, snapshotter, runId, signal } = this.#options;
    return snapshotter.openSession({ backupName: backup.metadata.name, runId, signal });
  }

  #request(
    session: SnapshotSession,
    claim: KubernetesObject,
    {
      volume,
      snapshotClass,
      driver,
      urgent,
    }: VolumeChoice & { readonly action: 'snapshot'; readonly urgent: boolean },
  ): HeldClaim {
    const { backup, onEvent, signal } = this.#options;
    const { name: claimName, namespace = '' } = claim.metadata;
    const requested = session.request(
      {
        ...{ claim, volume, snapshotClass, urgent },
        handleTimeoutMs: parseDuration(backup.spec.csiSnapshotTimeout ?? ''),
        readyTimeoutMs: parseDuration(backup.spec.itemOperationTimeout ?? ''),
        onState: (state, details) => {
          onEvent({ type: 'snapshot', state, namespace, claimName, driver, ...details });
        },
        onDelay: (diagnosis, details) => this.#reportDelay(claim, driver, diagnosis, details),
      },
      { signal },
    );
    // Both settle with a value, so that a failure waits for its turn instead of becoming an unhandled rejection.
    const settled = (): void => undefined;
    const outcome = requested
      .then((cut) => cut.ready({ signal }))
      .then(
        (snapshot): VolumeOutcome => ({ claim, volume, snapshot }),
        (error: unknown): VolumeOutcome => ({ claim, volume, error }),
      );
    return { claim, cut: requested.then(settled, settled), outcome };
  }

  #reportDelay(
    claim: KubernetesObject,
    driver: string,
    { cause, finding, advice }: SnapshotDiagnosis,
    { volumeSnapshotName, volumeSnapshotContentName }: SnapshotDetails,
  ): void {
    const { onEvent, logger } = this.#options;
    const { name: claimName, namespace = '' } = claim.metadata;
    const message = `${finding}. ${advice}`;
    logger.warn('a snapshot does not come yet', { namespace, name: claimName, cause, message });
    onEvent({
      type: 'snapshotDelayed',
      ...{ cause, message, namespace, claimName, driver },
      ...{ volumeSnapshotName, volumeSnapshotContentName },
    });
  }
}

function keyOf({ metadata: { namespace = '', name } }: NamedClaim): string {
  return `${namespace}/${name}`;
}

function claimIdentifier(claim: KubernetesObject): ResourceIdentifier {
  return identifierOf(referenceTo(Resources.persistentVolumeClaims, claim));
}
