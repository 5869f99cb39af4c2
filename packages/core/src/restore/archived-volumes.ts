import type { JsonObject } from '../model/json.ts';
import { groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreSpec } from '../model/restore.ts';
import type { BackupContents } from './backup-contents.ts';
import { type ClaimSource, decideClaimSource, volumeSnapshotNameOf } from './claim-source.ts';
import { whyVolumeIsLeftOut } from './persistent-volume-decision.ts';

const claims = groupResourceOf(Resources.persistentVolumeClaims);
const volumes = groupResourceOf(Resources.persistentVolumes);
const snapshots = groupResourceOf(Resources.volumeSnapshots);
const contents = groupResourceOf(Resources.volumeSnapshotContents);

/** What a backup knows of volumes: gathers for each claim and volume what the decision about it needs. */
export class ArchivedVolumes {
  readonly #contents: BackupContents;
  readonly #spec: RestoreSpec;
  readonly #methods: ReadonlyMap<string, string>;

  /** @param volumeInfo the entries of the backup's volume information file; empty in backups of Velero before 1.13. */
  constructor(backup: BackupContents, spec: RestoreSpec, volumeInfo: readonly JsonObject[]) {
    this.#contents = backup;
    this.#spec = spec;
    this.#methods = new Map(
      volumeInfo.flatMap((entry) => {
        const volumeName = stringAt(entry, ['pvName']);
        const method = stringAt(entry, ['backupMethod']);
        return volumeName === undefined || method === undefined
          ? []
          : [[volumeName, method] as const];
      }),
    );
  }

  /** Where the data of a backed-up claim comes from. */
  async sourceOf(claim: KubernetesObject): Promise<ClaimSource> {
    const { namespace } = claim.metadata;
    const snapshotName = volumeSnapshotNameOf(claim);
    const volumeName = stringAt(claim, ['spec', 'volumeName']);
    const volumeSnapshot =
      snapshotName === undefined
        ? undefined
        : await this.#contents.get({ groupResource: snapshots, namespace, name: snapshotName });
    const contentName =
      volumeSnapshot && stringAt(volumeSnapshot, ['status', 'boundVolumeSnapshotContentName']);
    return decideClaimSource({
      claim,
      restorePVs: this.#spec.restorePVs,
      volumeSnapshot,
      volumeSnapshotContent: await this.#find(contents, contentName),
      volume: await this.#find(volumes, volumeName),
      backupMethod: volumeName === undefined ? undefined : this.#methods.get(volumeName),
    });
  }

  /** Why a backed-up PersistentVolume is not created; `undefined` when it is. */
  async whyLeftOut(volume: KubernetesObject): Promise<string | undefined> {
    const claimName = stringAt(volume, ['spec', 'claimRef', 'name']);
    const claim =
      claimName === undefined
        ? undefined
        : await this.#contents.get({
            groupResource: claims,
            namespace: stringAt(volume, ['spec', 'claimRef', 'namespace']),
            name: claimName,
          });
    return whyVolumeIsLeftOut({
      volume,
      backupMethod: this.#methods.get(volume.metadata.name),
      claimHasSnapshot: claim !== undefined && volumeSnapshotNameOf(claim) !== undefined,
    });
  }

  async #find(
    groupResource: string,
    name: string | undefined,
  ): Promise<KubernetesObject | undefined> {
    return name === undefined ? undefined : this.#contents.get({ groupResource, name });
  }
}
