import { LifeboatError, messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { Backup } from '../model/backup.ts';
import { parseDuration } from '../model/duration.ts';
import type { BackupEvent } from '../model/event.ts';
import { describeObject, type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { VolumeGroupConsistency } from '../model/volume-group.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CutGroupSnapshot } from '../snapshot/cut-group-snapshot.ts';
import type { GroupSnapshotSession } from '../snapshot/group-snapshot-session.ts';
import type { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import type { BackupRecord } from './backup-record.ts';
import type { HeldClaim, VolumeOutcome } from './held-claim.ts';
import { type GroupLabel, prepareVolumeGroup } from './prepare-volume-group.ts';

/** What {@link GroupBackups} works with. */
export interface GroupBackupsOptions {
  readonly cluster: Cluster;
  readonly backup: Backup;
  readonly record: BackupRecord;
  readonly snapshotter: VolumeSnapshotter;
  readonly runId: string;
  /** What the label of a group asks for; see BackupOptions. @default 'require' */
  readonly groupSnapshots?: 'require' | 'prefer' | 'never' | undefined;
  readonly onEvent: (event: BackupEvent) => void;
  readonly signal: AbortSignal;
}

interface GroupInHand {
  readonly namespace: string;
  readonly name: string;
  readonly cut: Promise<CutGroupSnapshot>;
  /** The claims that the backup takes in. */
  readonly wanted: Set<string>;
}

const settledAtATime = 4;

/** The volume groups of one backup: takes the snapshots of claims with one value of the group label as of one moment. */
export class GroupBackups {
  readonly #options: GroupBackupsOptions;
  readonly #groups = new Map<string, Promise<GroupInHand | { readonly refusal: string }>>();
  #session: Promise<GroupSnapshotSession | undefined> | undefined;

  constructor(options: GroupBackupsOptions) {
    this.#options = options;
  }

  /**
   * Requests the snapshots of a claim's whole group, unless an earlier claim of it has, and holds the claim back; `undefined`
   * when the claim is to be snapshotted alone.
   *
   * @throws {LifeboatError} code SnapshotFailed when its group cannot be snapshotted as one, and has to be.
   */
  async hold(claim: KubernetesObject, volume: KubernetesObject): Promise<HeldClaim | undefined> {
    const { backup, groupSnapshots = 'require' } = this.#options;
    const { namespace = '', labels } = claim.metadata;
    const key = stringAt(backup.spec, ['volumeGroupSnapshotLabelKey']) ?? '';
    const value = labels?.[key] ?? '';
    if (groupSnapshots === 'never' || key === '' || value === '') {
      return undefined;
    }
    const id = `${namespace}/${value}`;
    const begun = this.#groups.get(id) ?? this.#begin({ namespace, key, value });
    this.#groups.set(id, begun);
    const group = await begun;
    if (!('refusal' in group)) {
      group.wanted.add(claim.metadata.name);
      return heldIn(group, claim, volume, this.#options.signal);
    }
    if (groupSnapshots === 'prefer') {
      return undefined;
    }
    throw new LifeboatError(
      `volume group ${value} cannot be snapshotted as of one moment: ${group.refusal}. To snapshot its claims one by one set groupSnapshots to 'prefer' or 'never'`,
      {
        code: 'SnapshotFailed',
        operation: 'backup',
        target: describeObject(referenceTo(Resources.persistentVolumeClaims, claim)),
      },
    );
  }

  /** Warns of claims that are in a group although the backup leaves them out. Call it when every group is cut. */
  async reportStrangers(): Promise<void> {
    const { record } = this.#options;
    for (const { namespace, name, cut, wanted } of await this.#inHand()) {
      const snapshot = await cut.catch(() => undefined);
      for (const stranger of snapshot?.claimNames ?? []) {
        if (!wanted.has(stranger)) {
          record.addWarning({
            reason: 'ClaimOnlyInGroup',
            message: `the backup leaves this claim out, but its volume is in the snapshot of group ${name}, since it carries the group's label; the storage keeps that snapshot as long as the backup`,
            object: { groupResource: 'persistentvolumeclaims', namespace, name: stranger },
          });
        }
      }
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

  async #begin(label: GroupLabel): Promise<GroupInHand | { readonly refusal: string }> {
    const { backup, onEvent, signal } = this.#options;
    const openSession = (): Promise<GroupSnapshotSession | undefined> =>
      (this.#session ??= this.#openSession());
    const prepared = await prepareVolumeGroup(this.#options, label, openSession);
    if ('refusal' in prepared) {
      this.#fallBack(label, prepared);
      return prepared;
    }
    const { namespace, key: labelKey, value: labelValue } = label;
    const { session, members, groupSnapshotClass, driver } = prepared;
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
      },
      { signal },
    );
    // Whoever waits for it learns of a failure; it must not become an unhandled rejection before somebody does.
    cut.then(({ claimNames }) => this.#report(label, 'group', claimNames)).catch(() => undefined);
    return { namespace, name: labelValue, cut, wanted: new Set() };
  }

  #fallBack(
    label: GroupLabel,
    { refusal, claimNames }: { readonly refusal: string; readonly claimNames: readonly string[] },
  ): void {
    if (this.#options.groupSnapshots === 'prefer') {
      this.#report(label, 'volume', claimNames);
      this.#options.record.addWarning({
        reason: 'VolumeGroupNotConsistent',
        message: `the claims of volume group ${label.namespace}/${label.value} are snapshotted one by one, as of different moments: ${refusal}`,
      });
    }
  }

  #report(
    { namespace, value: name }: GroupLabel,
    consistency: VolumeGroupConsistency,
    claimNames: readonly string[],
  ): void {
    const group = { namespace, name, consistency, claimNames };
    this.#options.record.addVolumeGroup(group);
    this.#options.onEvent({ type: 'volumeGroup', group });
  }

  #openSession(): Promise<GroupSnapshotSession | undefined> {
    const { snapshotter, backup, runId, signal } = this.#options;
    return snapshotter.openGroupSession({ backupName: backup.metadata.name, runId, signal });
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
    await runAll(await this.#inHand(), settleOne, { concurrency: settledAtATime });
  }

  async #inHand(): Promise<readonly GroupInHand[]> {
    const inHand: GroupInHand[] = [];
    for (const begun of this.#groups.values()) {
      const group = await begun.catch(() => undefined);
      if (group !== undefined && !('refusal' in group)) {
        inHand.push(group);
      }
    }
    return inHand;
  }
}

function heldIn(
  { cut, name }: GroupInHand,
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
        `${target} is not in the snapshot of its volume group ${name}: its label was changed while the backup ran`,
        { code: 'SnapshotFailed', operation: 'backup', target },
      );
      return { claim, volume, error };
    })
    .catch((error: unknown): VolumeOutcome => ({ claim, volume, error }));
  return { claim, cut: cut.then(settled, settled), outcome };
}
