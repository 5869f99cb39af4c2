import { LifeboatError } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import { describeObject, type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { GroupSnapshotSession } from '../snapshot/group-snapshot-session.ts';
import type { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import type { BackupRecord } from './backup-record.ts';
import {
  type GroupLabel,
  type PreparedVolumeGroup,
  prepareVolumeGroup,
} from './prepare-volume-group.ts';

/** What {@link VolumeGroupChoices} decides from. */
export interface VolumeGroupChoicesOptions {
  readonly cluster: Cluster;
  readonly backup: Backup;
  readonly record: BackupRecord;
  readonly snapshotter: VolumeSnapshotter;
  readonly runId: string;
  /** What the label of a group asks for; see BackupOptions. @default 'require' */
  readonly groupSnapshots?: 'require' | 'prefer' | 'never' | undefined;
  readonly signal: AbortSignal;
}

/** A group that is snapshotted as one. */
export interface ChosenVolumeGroup
  extends Exclude<PreparedVolumeGroup, { readonly refusal: string }> {
  readonly label: GroupLabel;
}

/** Decides for the claims of one backup whether they are snapshotted as part of a group. Makes nothing. */
export class VolumeGroupChoices {
  readonly #options: VolumeGroupChoicesOptions;
  readonly #prepared = new Map<string, Promise<PreparedVolumeGroup>>();
  #session: Promise<GroupSnapshotSession | undefined> | undefined;

  constructor(options: VolumeGroupChoicesOptions) {
    this.#options = options;
  }

  /**
   * The group that a claim is snapshotted with, the same for all its claims; `undefined` when the claim is snapshotted alone.
   *
   * @throws {LifeboatError} code SnapshotFailed when its group cannot be snapshotted as one, and has to be.
   */
  async groupOf(claim: KubernetesObject): Promise<ChosenVolumeGroup | undefined> {
    const { backup, groupSnapshots = 'require' } = this.#options;
    const { namespace = '', labels } = claim.metadata;
    const key = stringAt(backup.spec, ['volumeGroupSnapshotLabelKey']) ?? '';
    const value = labels?.[key] ?? '';
    if (groupSnapshots === 'never' || key === '' || value === '') {
      return undefined;
    }
    const label = { namespace, key, value };
    const id = `${namespace}/${value}`;
    const preparing = this.#prepared.get(id) ?? this.#prepare(label);
    this.#prepared.set(id, preparing);
    const prepared = await preparing;
    if (!('refusal' in prepared)) {
      return { ...prepared, label };
    }
    if (groupSnapshots === 'prefer') {
      return undefined;
    }
    throw new LifeboatError(
      `volume group ${value} cannot be snapshotted as of one moment: ${prepared.refusal}. To snapshot its claims one by one set groupSnapshots to 'prefer' or 'never'`,
      {
        code: 'SnapshotFailed',
        operation: 'backup',
        target: describeObject(referenceTo(Resources.persistentVolumeClaims, claim)),
      },
    );
  }

  async #prepare(label: GroupLabel): Promise<PreparedVolumeGroup> {
    const openSession = (): Promise<GroupSnapshotSession | undefined> =>
      (this.#session ??= this.#openSession());
    const prepared = await prepareVolumeGroup(this.#options, label, openSession);
    if ('refusal' in prepared && this.#options.groupSnapshots === 'prefer') {
      this.#fallBack(label, prepared);
    }
    return prepared;
  }

  #fallBack(
    { namespace, value: name }: GroupLabel,
    { refusal, claimNames }: { readonly refusal: string; readonly claimNames: readonly string[] },
  ): void {
    const { record } = this.#options;
    record.addVolumeGroup({ namespace, name, consistency: 'volume', claimNames });
    record.addWarning({
      reason: 'VolumeGroupNotConsistent',
      message: `the claims of volume group ${namespace}/${name} are snapshotted one by one, as of different moments: ${refusal}`,
    });
  }

  #openSession(): Promise<GroupSnapshotSession | undefined> {
    const { snapshotter, backup, runId, signal } = this.#options;
    return snapshotter.openGroupSession({ backupName: backup.metadata.name, runId, signal });
  }
}

/** Warns of the claims that are snapshotted with their group although the backup leaves them out. */
export function reportStrangers(
  { namespace, value: name }: GroupLabel,
  {
    claimNames,
    wanted,
  }: {
    /** Whose volumes are in the group's snapshot. */
    readonly claimNames: readonly string[];
    /** The claims that the backup takes in. */
    readonly wanted: ReadonlySet<string>;
  },
  record: BackupRecord,
): void {
  for (const stranger of claimNames) {
    if (!wanted.has(stranger)) {
      record.addWarning({
        reason: 'ClaimOnlyInGroup',
        message: `the backup leaves this claim out, but its volume is in the snapshot of group ${name}, since it carries the group's label; the storage keeps that snapshot as long as the backup`,
        object: { groupResource: 'persistentvolumeclaims', namespace, name: stranger },
      });
    }
  }
}
