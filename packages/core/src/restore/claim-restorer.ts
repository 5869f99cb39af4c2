import { messageOf } from '../errors.ts';
import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import type { DeletionObserver } from '../internal/deletion-observer.ts';
import type { Pause } from '../internal/pause.ts';
import type { Issue } from '../model/issue.ts';
import {
  identifierOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ImportObserver } from '../snapshot/import-observer.ts';
import {
  type ImportedSnapshot,
  importSnapshot,
  removeImportedSnapshot,
} from '../snapshot/imported-snapshot.ts';
import type { AwaitedClaim } from './awaited-claim.ts';
import type { ClaimOutlooks } from './claim-outlooks.ts';
import type { ArchivedSnapshot, ClaimSource } from './claim-source.ts';
import { GroupStubs } from './group-stubs.ts';
import type { ItemOutcome, ItemWriter } from './item-writer.ts';
import type { RestoreRecord } from './restore-record.ts';
import { restoredVolumeInfo } from './volume-info.ts';

const cleanUpTimeoutMs = 60_000;

/** What a {@link ClaimRestorer} works with. */
export interface ClaimRestorerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly restore: Restore;
  readonly outlooks: Pick<ClaimOutlooks, 'waitsForConsumer'>;
  readonly writer: ItemWriter;
  readonly record: RestoreRecord;
  /** Has begun the work that claims are restored in. */
  readonly pool: Pick<AdaptivePool, 'pause'>;
  readonly imports: ImportObserver;
  readonly deletions: DeletionObserver;
  /** How long the cluster may take to find a snapshot in its storage. */
  readonly snapshotImportTimeoutMs: number;
  readonly allowVolumeModeChange: boolean | undefined;
}

/** Restores claims: the snapshot a claim is filled from is imported before it, as a pair made for this claim alone. */
export class ClaimRestorer {
  readonly #options: ClaimRestorerOptions;
  readonly #created: AwaitedClaim[] = [];
  readonly #groupStubs: GroupStubs;
  readonly #pause: Pause;

  constructor(options: ClaimRestorerOptions) {
    this.#options = options;
    this.#groupStubs = new GroupStubs(options);
    this.#pause = (wait) => options.pool.pause(wait);
  }

  /** The claims that were created and should get a volume. */
  get created(): readonly AwaitedClaim[] {
    return this.#created;
  }

  /** Removes what stood in for volume groups, except where it is still needed. Call it when the claims are settled. */
  removeGroupStubs(): Promise<void> {
    return this.#groupStubs.remove();
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
    const { cluster, restore, clock, imports: observer } = this.#options;
    const { snapshotImportTimeoutMs: readyTimeoutMs, allowVolumeModeChange } = this.#options;
    // A snapshot that is never found holds back no claim but its own.
    const pause = this.#pause;
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
    const { clock, record, deletions } = this.#options;
    const pause = this.#pause;
    try {
      await removeImportedSnapshot(imported, {
        ...{ timeoutMs: cleanUpTimeoutMs, clock, deletions, pause },
      });
    } catch (error) {
      const message = `the VolumeSnapshot and VolumeSnapshotContent ${imported.name} made for it could not be removed: ${messageOf(error)}`;
      record.addIssue(issueOf('warning', 'SnapshotObjectsLeft', message, reference));
    }
  }

  async #expectVolume(
    claim: KubernetesObject,
    { imported, original }: Pick<AwaitedClaim, 'imported' | 'original'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, namespace = '', uid = '' } = claim.metadata;
    // Without a class in the manifest the API server has put the default one.
    const storageClassName = stringAt(claim, ['spec', 'storageClassName']);
    const { outlooks } = this.#options;
    this.#created.push({
      namespace,
      name,
      uid,
      waitsForConsumer: await outlooks.waitsForConsumer(storageClassName, signal),
      imported,
      original,
    });
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
