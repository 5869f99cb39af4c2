import { isLifeboatError, LifeboatError } from '../errors.ts';
import {
  describeObject,
  identifierOf,
  type KubernetesObject,
  referenceTo,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import type { VolumePolicy } from '../model/resource-policy.ts';
import { Resources } from '../model/resources.ts';
import { chooseVolumeSnapshotClass } from '../snapshot/snapshot-class.ts';
import type { HoldBackOptions } from './claim-volumes.ts';
import { decideVolume, type VolumeDecision } from './volume-decision.ts';
import {
  type ChosenVolumeGroup,
  VolumeGroupChoices,
  type VolumeGroupChoicesOptions,
} from './volume-group-choices.ts';

/** What {@link VolumeChoices} decides from. */
export interface VolumeChoicesOptions extends VolumeGroupChoicesOptions {
  /** Driver → class name, chosen by the caller. */
  readonly volumeSnapshotClasses?: Readonly<Record<string, string>> | undefined;
  /** The volume policies of the backup's resource policy. @default none */
  readonly volumePolicies?: readonly VolumePolicy[] | undefined;
}

/** What becomes of a claim's data, and with what. */
export type VolumeChoice =
  | {
      readonly action: 'none';
      readonly decision: Exclude<VolumeDecision, { readonly action: 'snapshot' }>;
      /** The claim's PersistentVolume, if it has one that exists. */
      readonly volume: KubernetesObject | undefined;
    }
  | {
      readonly action: 'snapshot';
      readonly driver: string;
      readonly volume: KubernetesObject;
      readonly snapshotClass: KubernetesObject;
    }
  | {
      readonly action: 'groupSnapshot';
      readonly driver: string;
      readonly volume: KubernetesObject;
      readonly group: ChosenVolumeGroup;
    };

/**
 * Decides what becomes of the data of a backup's claims, one after another or side by side. Only reads the cluster; what a user
 * should know of a decision becomes an issue of the record.
 */
export class VolumeChoices {
  readonly #options: VolumeChoicesOptions;
  readonly #groups: VolumeGroupChoices;
  #classes: Promise<readonly KubernetesObject[] | undefined> | undefined;

  constructor(options: VolumeChoicesOptions) {
    this.#options = options;
    this.#groups = new VolumeGroupChoices(options);
  }

  /**
   * Decides about a claim. To be asked once for each.
   *
   * @throws {LifeboatError} code SnapshotFailed when the volume should be snapshotted but no class is fit for it, or its group
   * cannot be snapshotted as one.
   */
  async of(
    claim: KubernetesObject,
    { handledBy }: Pick<HoldBackOptions, 'handledBy'> = {},
  ): Promise<VolumeChoice> {
    const { backup, record, cluster, signal, volumePolicies } = this.#options;
    const volumeName = stringAt(claim, ['spec', 'volumeName']);
    const volume =
      volumeName === undefined
        ? undefined
        : await cluster.get({ ...Resources.persistentVolumes, name: volumeName }, { signal });
    const { snapshotVolumes } = backup.spec;
    const policies = volumePolicies;
    const decision = decideVolume({ claim, volume, snapshotVolumes, policies, handledBy });
    if (decision.action !== 'snapshot') {
      if (decision.action === 'skip') {
        const { reason, message } = decision;
        record.addWarning({ reason, message, object: claimIdentifier(claim) });
      }
      return { action: 'none', decision, volume };
    }
    const { driver } = decision;
    const group = await this.#groups.groupOf(claim);
    return group === undefined
      ? {
          ...{ action: 'snapshot', driver, volume: decision.volume },
          snapshotClass: await this.#chooseClass(claim, driver),
        }
      : { action: 'groupSnapshot', driver, volume: decision.volume, group };
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

  // Absent: the cluster does not serve them.
  async #listClasses(): Promise<readonly KubernetesObject[] | undefined> {
    const { cluster, signal } = this.#options;
    try {
      return await Array.fromAsync(cluster.list(Resources.volumeSnapshotClasses, { signal }));
    } catch (error) {
      if (isLifeboatError(error, 'NotFound')) {
        return undefined;
      }
      throw error;
    }
  }
}

function claimIdentifier(claim: KubernetesObject): ReturnType<typeof identifierOf> {
  return identifierOf(referenceTo(Resources.persistentVolumeClaims, claim));
}
