import type { JsonObject } from '../model/json.ts';
import { groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreSpec } from '../model/restore.ts';
import type { BackupContents } from './backup-contents.ts';
import { type ClaimSource, decideClaimSource, volumeSnapshotNameOf } from './claim-source.ts';
import { contentNamesOf, type ListedSnapshot, type ListedSnapshots } from './listed-snapshots.ts';
import { originalOf } from './original-volume.ts';
import { whyVolumeIsLeftOut } from './persistent-volume-decision.ts';
import { VolumeRecords } from './volume-record.ts';

const claims = groupResourceOf(Resources.persistentVolumeClaims);
const volumes = groupResourceOf(Resources.persistentVolumes);
const snapshots = groupResourceOf(Resources.volumeSnapshots);
const contents = groupResourceOf(Resources.volumeSnapshotContents);

/** What {@link ArchivedVolumes} reads from. */
export interface ArchivedVolumesOptions {
  readonly contents: BackupContents;
  readonly spec: RestoreSpec;
  /** The entries of the backup's volume information file; empty in backups of Velero before 1.13. */
  readonly volumeInfo: readonly JsonObject[];
  /** The files beside the archive. */
  readonly listed: ListedSnapshots;
  /** `spec.snapshotMoveData` of the backup. */
  readonly movesData: boolean;
}

/**
 * What a backup knows of volumes: gathers for each claim and volume what the decision about it needs, from the archive and
 * whatever else the version of Velero that made it wrote.
 */
export class ArchivedVolumes {
  readonly #contents: BackupContents;
  readonly #spec: RestoreSpec;
  readonly #listed: ListedSnapshots;
  readonly #records: VolumeRecords;
  readonly #movesData: boolean;

  constructor({ contents, spec, volumeInfo, listed, movesData }: ArchivedVolumesOptions) {
    this.#contents = contents;
    this.#spec = spec;
    this.#listed = listed;
    this.#movesData = movesData;
    this.#records = new VolumeRecords(volumeInfo);
  }

  /** Where the data of a backed-up claim comes from. */
  async sourceOf(claim: KubernetesObject): Promise<ClaimSource> {
    const { namespace, name } = claim.metadata;
    const snapshotName = volumeSnapshotNameOf(claim);
    const volumeName = stringAt(claim, ['spec', 'volumeName']);
    const volume = await this.#find(volumes, volumeName);
    const volumeRecord = this.#records.ofClaim(namespace, name, volumeName);
    const source = decideClaimSource({
      claim,
      restorePVs: this.#spec.restorePVs,
      ...(await this.#snapshotOf(namespace, snapshotName)),
      volume,
      volumeRecord,
      movesData: this.#movesData,
    });
    const original = volume === undefined ? volumeRecord?.original : originalOf(volume);
    return source.kind === 'snapshot' || source.kind === 'new volume'
      ? { ...source, original }
      : source;
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
      backupMethod: this.#records.ofVolume(volume.metadata.name)?.backupMethod,
      claimHasSnapshot: claim !== undefined && volumeSnapshotNameOf(claim) !== undefined,
    });
  }

  async #snapshotOf(
    namespace: string | undefined,
    name: string | undefined,
  ): Promise<ListedSnapshot> {
    if (name === undefined) {
      return { volumeSnapshot: undefined, volumeSnapshotContent: undefined };
    }
    const archived = await this.#contents.get({ groupResource: snapshots, namespace, name });
    const content = await this.#contentOf(archived);
    if (archived !== undefined && content !== undefined) {
      return { volumeSnapshot: archived, volumeSnapshotContent: content };
    }
    const listed = await this.#listed.find(namespace, name);
    const volumeSnapshot = archived ?? listed.volumeSnapshot;
    return {
      volumeSnapshot,
      volumeSnapshotContent:
        content ?? (await this.#contentOf(volumeSnapshot)) ?? listed.volumeSnapshotContent,
    };
  }

  async #contentOf(
    volumeSnapshot: KubernetesObject | undefined,
  ): Promise<KubernetesObject | undefined> {
    for (const name of contentNamesOf(volumeSnapshot)) {
      const content = await this.#find(contents, name);
      if (content !== undefined) {
        return content;
      }
    }
    return undefined;
  }

  async #find(
    groupResource: string,
    name: string | undefined,
  ): Promise<KubernetesObject | undefined> {
    return name === undefined ? undefined : this.#contents.get({ groupResource, name });
  }
}
