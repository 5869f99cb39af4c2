import { isLifeboatError } from '../errors.ts';
import type { PlannedVolume } from '../model/backup-plan.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { BackupRecord } from './backup-record.ts';
import type { ClaimVolumes, HoldBackOptions, NamedClaim } from './claim-volumes.ts';
import { type VolumeChoice, VolumeChoices, type VolumeChoicesOptions } from './volume-choices.ts';
import { type ChosenVolumeGroup, reportStrangers } from './volume-group-choices.ts';

/** A class that a snapshot would be made with, for {@link VolumePlannerOptions.onSnapshotClass}. */
export type SnapshotClassListener = (snapshotClass: KubernetesObject) => void;

/** What {@link VolumePlanner} works with. */
export interface VolumePlannerOptions extends VolumeChoicesOptions {
  readonly record: BackupRecord;
  /** Told of the class of each snapshot, again for each. */
  readonly onSnapshotClass: SnapshotClassListener;
}

interface PlannedGroup extends Pick<ChosenVolumeGroup, 'label' | 'members'> {
  readonly wanted: Set<string>;
}

/** Says what would become of the volumes of a backup's claims. Makes nothing, so it holds no claim back. */
export class VolumePlanner implements ClaimVolumes {
  readonly #options: VolumePlannerOptions;
  readonly #choices: VolumeChoices;
  readonly #volumes: PlannedVolume[] = [];
  readonly #groups = new Map<string, PlannedGroup>();

  constructor(options: VolumePlannerOptions) {
    this.#options = options;
    this.#choices = new VolumeChoices(options);
  }

  /** What was found out, in the order of the claims. */
  get volumes(): readonly PlannedVolume[] {
    return this.#volumes;
  }

  async holdBack(claim: KubernetesObject, options?: HoldBackOptions): Promise<boolean> {
    const { name: claimName, namespace = '' } = claim.metadata;
    try {
      const choice = await this.#choices.of(claim, options);
      this.#volumes.push({ namespace, claimName, ...describeChoice(choice) });
      if (choice.action === 'snapshot') {
        this.#options.onSnapshotClass(choice.snapshotClass);
      } else if (choice.action === 'groupSnapshot') {
        this.#addToGroup(claimName, choice.group);
      }
      return false;
    } catch (error) {
      if (isLifeboatError(error, 'SnapshotFailed')) {
        this.#volumes.push({ namespace, claimName, action: 'fail', message: error.message });
      }
      throw error;
    }
  }

  async untilCut(): Promise<readonly NamedClaim[]> {
    return [];
  }

  /** Warns of claims that would be in a group although the backup leaves them out. Call it when every claim was seen. */
  reportStrangers(): void {
    const { record } = this.#options;
    for (const { label, members, wanted } of this.#groups.values()) {
      reportStrangers(label, { claimNames: namesOf(members), wanted }, record);
    }
  }

  #addToGroup(claimName: string, { label, members }: ChosenVolumeGroup): void {
    const { namespace, value: name } = label;
    const id = `${namespace}/${name}`;
    const group = this.#groups.get(id) ?? { label, members, wanted: new Set() };
    if (!this.#groups.has(id)) {
      this.#groups.set(id, group);
      const claimNames = namesOf(members);
      this.#options.record.addVolumeGroup({ namespace, name, consistency: 'group', claimNames });
    }
    group.wanted.add(claimName);
  }
}

type Described<V> = V extends PlannedVolume ? Omit<V, 'namespace' | 'claimName'> : never;

function describeChoice(choice: VolumeChoice): Described<PlannedVolume> {
  switch (choice.action) {
    case 'none': {
      const { decision } = choice;
      const { message } = decision;
      return decision.action === 'skip'
        ? { action: 'skip', reason: decision.reason, message }
        : { action: 'skip', message };
    }
    case 'snapshot':
      return {
        action: 'snapshot',
        volumeName: choice.volume.metadata.name,
        driver: choice.driver,
        volumeSnapshotClass: choice.snapshotClass.metadata.name,
      };
    case 'groupSnapshot':
      return {
        action: 'groupSnapshot',
        volumeName: choice.volume.metadata.name,
        driver: choice.driver,
        group: choice.group.label.value,
        volumeGroupSnapshotClass: choice.group.groupSnapshotClass.metadata.name,
      };
  }
}

function namesOf(members: ChosenVolumeGroup['members']): readonly string[] {
  return members.map(({ claim }) => claim.metadata.name).sort();
}
