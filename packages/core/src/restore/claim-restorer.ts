import { messageOf } from '../errors.ts';
import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { Issue } from '../model/issue.ts';
import {
  identifierOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ImportObserver } from '../snapshot/import-observer.ts';
import {
  type ImportedSnapshot,
  importSnapshot,
  removeImportedSnapshot,
} from '../snapshot/imported-snapshot.ts';
import type { ArchivedVolumes } from './archived-volumes.ts';
import type { AwaitedClaim } from './awaited-claim.ts';
import type { ArchivedSnapshot, ClaimSource } from './claim-source.ts';
import { GroupStubs } from './group-stubs.ts';
import type { ItemOutcome, ItemWriter } from './item-writer.ts';
import { volumeObstacle } from './persistent-volume-decision.ts';
import type { RestoreRecord } from './restore-record.ts';
import type { TargetResources } from './target-resources.ts';
import { TargetStorage } from './target-storage.ts';
import { restoredVolumeInfo } from './volume-info.ts';

const cleanUpTimeoutMs = 60_000;

/** What is to be expected of a claim before it is created. */
export interface ClaimOutlook {
  readonly source: ClaimSource;
  /** Why it cannot be created. */
  readonly obstacle: { readonly reason: string; readonly message: string } | undefined;
}

/** What a {@link ClaimRestorer} works with. */
export interface ClaimRestorerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly restore: Restore;
  readonly volumes: ArchivedVolumes;
  readonly resources: TargetResources;
  readonly writer: ItemWriter;
  readonly record: RestoreRecord;
  /** Has begun the work that claims are restored in. */
  readonly pool: Pick<AdaptivePool, 'pause'>;
  readonly imports: ImportObserver;
  /** How long the cluster may take to find a snapshot in its storage. */
  readonly snapshotImportTimeoutMs: number;
  readonly allowVolumeModeChange: boolean | undefined;
}

/** Restores claims: the snapshot a claim is filled from is imported before it, as a pair made for this claim alone. */
export class ClaimRestorer {
  readonly #options: ClaimRestorerOptions;
  readonly #created: AwaitedClaim[] = [];
  readonly #groupStubs: GroupStubs;
  #storage: Promise<TargetStorage> | undefined;

  constructor(options: ClaimRestorerOptions) {
    this.#options = options;
    this.#groupStubs = new GroupStubs(options);
  }

  /** The claims that were created and should get a volume. */
  get created(): readonly AwaitedClaim[] {
    return this.#created;
  }

  /** Removes what stood in for volume groups, except where it is still needed. Call it when the claims are settled. */
  removeGroupStubs(): Promise<void> {
    return this.#groupStubs.remove();
  }

  /** Finds out where the data of a claim would come from, and what stands in the way of it. Only reads. */
  async outlook(
    reference: ObjectReference,
    manifest: KubernetesManifest,
    itemFromBackup: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ClaimOutlook> {
    const source = await this.#options.volumes.sourceOf(itemFromBackup);
    return { source, obstacle: await this.#obstacleOf(reference, manifest, source, signal) };
  }

  /**
   * Creates a claim that does not exist, filled from its source. When it cannot be created, or the run is aborted before it is, its
   * imported snapshot objects are removed again.
   */
  async create(
    reference: ObjectReference,
    manifest: KubernetesManifest,
    source: ClaimSource,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    if (source.kind === 'snapshot') {
      const created = await this.#fillFromSnapshot(reference, manifest, source, signal);
      return { action: 'created', created };
    }
    const created = await this.#options.writer.create(reference, manifest, signal);
    if (source.kind !== 'as it stands') {
      const original = source.kind === 'new volume' ? source.original : undefined;
      await this.#expectVolume(created, { original }, signal);
    }
    return source.kind === 'new volume' && source.warning !== undefined
      ? {
          action: 'created',
          created,
          issue: issueOf('warning', 'VolumeNotInBackup', source.warning, reference),
        }
      : { action: 'created', created };
  }

  async #fillFromSnapshot(
    reference: ObjectReference,
    manifest: KubernetesManifest,
    { snapshot, original }: Extract<ClaimSource, { readonly kind: 'snapshot' }>,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const { writer, record } = this.#options;
    const { namespace = '' } = reference;
    const imported = await this.#groupStubs.during(snapshot, namespace, signal, () =>
      this.#import(snapshot, namespace, signal),
    );
    let claim: KubernetesObject;
    try {
      claim = await writer.create(reference, manifest, signal);
    } catch (error) {
      await this.#removeAfterFailure(imported, reference);
      throw error;
    }
    record.addVolume(restoredVolumeInfo(claim, snapshot, imported.name));
    await this.#expectVolume(claim, { imported, original }, signal);
    return claim;
  }

  #import(
    { volumeSnapshot, volumeSnapshotContent, driver, snapshotHandle }: ArchivedSnapshot,
    namespace: string,
    signal: AbortSignal,
  ): Promise<ImportedSnapshot> {
    const { cluster, restore, clock, pool, imports: observer } = this.#options;
    const { snapshotImportTimeoutMs: readyTimeoutMs, allowVolumeModeChange } = this.#options;
    // A snapshot that is never found holds back no claim but its own.
    const pause = <T>(wait: () => Promise<T>): Promise<T> => pool.pause(wait);
    return importSnapshot(
      {
        cluster,
        restoreUid: restore.metadata.uid ?? '',
        restoreName: restore.metadata.name,
        backupName: restore.spec.backupName,
        namespace,
        volumeSnapshot,
        volumeSnapshotContent,
        driver,
        snapshotHandle,
        allowVolumeModeChange,
      },
      { signal, clock, readyTimeoutMs, observer, pause },
    );
  }

  async #removeAfterFailure(imported: ImportedSnapshot, reference: ObjectReference): Promise<void> {
    const { clock, record } = this.#options;
    using deadline = withDeadline(undefined, cleanUpTimeoutMs, clock);
    try {
      await removeImportedSnapshot(imported, { signal: deadline.signal });
    } catch (error) {
      const message = `the VolumeSnapshot and VolumeSnapshotContent ${imported.name} made for it could not be removed: ${messageOf(error)}`;
      record.addIssue(issueOf('warning', 'SnapshotObjectsLeft', message, reference));
    }
  }

  async #obstacleOf(
    reference: ObjectReference,
    manifest: KubernetesManifest,
    source: ClaimSource,
    signal: AbortSignal,
  ): Promise<ClaimOutlook['obstacle']> {
    if (source.kind === 'out of reach') {
      return { reason: 'VolumeDataOutOfReach', message: source.reason };
    }
    if (source.kind === 'same volume') {
      const { cluster } = this.#options;
      // A modifier or transform may have given volume and claim another name for it.
      const volumeName = stringAt(manifest, ['spec', 'volumeName']) ?? source.volumeName;
      const volume = await cluster.get(
        { ...Resources.persistentVolumes, name: volumeName },
        { signal },
      );
      return volumeObstacle(reference, volumeName, volume);
    }
    return (await this.#storageOf(signal)).problemOf(manifest, source);
  }

  async #expectVolume(
    claim: KubernetesObject,
    { imported, original }: Pick<AwaitedClaim, 'imported' | 'original'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, namespace = '', uid = '' } = claim.metadata;
    // Without a class in the manifest the API server has put the default one.
    const storageClassName = stringAt(claim, ['spec', 'storageClassName']);
    const storage = await this.#storageOf(signal);
    this.#created.push({
      namespace,
      name,
      uid,
      waitsForConsumer: storage.waitsForConsumer(storageClassName),
      imported,
      original,
    });
  }

  // Read when the first claim is restored: by then the StorageClasses of the backup are there.
  #storageOf(signal: AbortSignal): Promise<TargetStorage> {
    const { cluster, resources } = this.#options;
    this.#storage ??= TargetStorage.load(cluster, resources, { signal }).catch((error: unknown) => {
      this.#storage = undefined;
      throw error;
    });
    return this.#storage;
  }
}

function issueOf(
  severity: Issue['severity'],
  reason: string,
  message: string,
  reference: ObjectReference,
): Issue {
  return { severity, reason, message, object: identifierOf(reference) };
}
