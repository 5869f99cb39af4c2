import { LifeboatError, messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { Backup } from '../model/backup.ts';
import { parseDuration } from '../model/duration.ts';
import type { BackupEvent } from '../model/event.ts';
import { describeObject, type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Logger } from '../ports/logger.ts';
import type { CutGroupSnapshot } from '../snapshot/cut-group-snapshot.ts';
import type { SnapshotDiagnosis } from '../snapshot/diagnose.ts';
import type { GroupMember } from '../snapshot/taken-group-snapshot.ts';
import type { BackupRecord } from './backup-record.ts';
import type { HeldClaim, VolumeOutcome } from './held-claim.ts';
import type { GroupLabel } from './prepare-volume-group.ts';
import { type ChosenVolumeGroup, reportStrangers } from './volume-group-choices.ts';

/** What {@link GroupBackups} works with. */
export interface GroupBackupsOptions {
  readonly backup: Backup;
  readonly record: BackupRecord;
  readonly onEvent: (event: BackupEvent) => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface GroupInHand {
  readonly label: GroupLabel;
  readonly cut: Promise<CutGroupSnapshot>;
  /** The claims that the backup takes in. */
  readonly wanted: Set<string>;
}

const settledAtATime = 4;

/** The volume groups of one backup: takes the snapshots of claims with one value of the group label as of one moment. */
export class GroupBackups {
  readonly #options: GroupBackupsOptions;
  readonly #groups = new Map<string, GroupInHand>();

  constructor(options: GroupBackupsOptions) {
    this.#options = options;
  }

  /** Requests the snapshots of a claim's whole group, unless an earlier claim of it has, and holds the claim back. */
  hold(claim: KubernetesObject, volume: KubernetesObject, group: ChosenVolumeGroup): HeldClaim {
    const { namespace, value } = group.label;
    const id = `${namespace}/${value}`;
    const inHand = this.#groups.get(id) ?? this.#begin(group);
    this.#groups.set(id, inHand);
    inHand.wanted.add(claim.metadata.name);
    return heldIn(inHand, claim, volume, this.#options.signal);
  }

  /** Warns of claims that are in a group although the backup leaves them out. Call it when every group is cut. */
  async reportStrangers(): Promise<void> {
    for (const { label, cut, wanted } of this.#groups.values()) {
      const snapshot = await cut.catch(() => undefined);
      const claimNames = snapshot?.claimNames ?? [];
      reportStrangers(label, { claimNames, wanted }, this.#options.record);
    }
  }

  /** Removes the objects of every group of a complete backup, or keeps them. What could not be done is an issue. */
  async settle(snapshotObjects: 'remove' | 'keep', signal: AbortSignal): Promise<void> {
    await this.#forEachReady(
      (snapshot) =>
        snapshotObjects === 'remove' ? snapshot.detach({ signal }) : snapshot.keep({ signal }),
      'SnapshotObjectsLeft',
    );
  }

  /** Frees every group that was taken, for a backup that will not be. */
  async discard(signal: AbortSignal): Promise<void> {
    await this.#forEachReady((snapshot) => snapshot.discard({ signal }), 'SnapshotLeft');
  }

  #begin({ label, session, members, groupSnapshotClass, driver }: ChosenVolumeGroup): GroupInHand {
    const { backup, record, onEvent, signal } = this.#options;
    const { namespace, key: labelKey, value: labelValue } = label;
    const cut = session.request(
      {
        ...{ namespace, labelKey, labelValue, members, groupSnapshotClass },
        handleTimeoutMs: parseDuration(backup.spec.csiSnapshotTimeout ?? ''),
        readyTimeoutMs: parseDuration(backup.spec.itemOperationTimeout ?? ''),
        onState: (state) => {
          for (const { claim } of members) {
            const claimName = claim.metadata.name;
            onEvent({ type: 'snapshot', state, namespace, claimName, driver });
          }
        },
        onDelay: (diagnosis) => this.#reportDelay(members, driver, diagnosis),
      },
      { signal },
    );
    // Whoever waits for it learns of a failure; it must not become an unhandled rejection before somebody does.
    cut
      .then(({ claimNames }) =>
        record.addVolumeGroup({ namespace, name: labelValue, consistency: 'group', claimNames }),
      )
      .catch(() => undefined);
    return { label, cut, wanted: new Set() };
  }

  #reportDelay(
    members: readonly GroupMember[],
    driver: string,
    { cause, finding, advice }: SnapshotDiagnosis,
  ): void {
    const { onEvent, logger } = this.#options;
    const message = `${finding}. ${advice}`;
    for (const { claim } of members) {
      const { name: claimName, namespace = '' } = claim.metadata;
      logger.warn('a snapshot does not come yet', { namespace, name: claimName, cause, message });
      onEvent({
        type: 'snapshotDelayed',
        ...{ cause, message, namespace, claimName, driver },
      });
    }
  }

  async #forEachReady(
    work: (snapshot: CutGroupSnapshot) => Promise<void>,
    reason: string,
  ): Promise<void> {
    const settleOne = async ({ cut }: GroupInHand): Promise<void> => {
      const snapshot = await cut.catch(() => undefined);
      // One that has failed to become ready has undone itself.
      const isReady = await snapshot?.ready().then(
        () => true,
        () => false,
      );
      if (snapshot === undefined || isReady !== true) {
        return;
      }
      try {
        await work(snapshot);
      } catch (error) {
        this.#options.record.addWarning({ reason, message: messageOf(error) });
      }
    };
    await runAll([...this.#groups.values()], settleOne, { concurrency: settledAtATime });
  }
}

function heldIn(
  { cut, label }: GroupInHand,
  claim: KubernetesObject,
  volume: KubernetesObject,
  signal: AbortSignal,
): HeldClaim {
  const settled = (): void => undefined;
  const outcome = cut
    .then((group) => group.ready({ signal }))
    .then((snapshots): VolumeOutcome => {
      const snapshot = snapshots.get(claim.metadata.name);
      if (snapshot !== undefined) {
        return { claim, volume, snapshot };
      }
      const target = describeObject(referenceTo(Resources.persistentVolumeClaims, claim));
      const error = new LifeboatError(
        `${target} is not in the snapshot of its volume group ${label.value}: its label was changed while the backup ran`,
        { code: 'SnapshotFailed', operation: 'backup', target },
      );
      return { claim, volume, error };
    })
    .catch((error: unknown): VolumeOutcome => ({ claim, volume, error }));
  return { claim, cut: cut.then(settled, settled), outcome };
}
