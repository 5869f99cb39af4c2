import type { KubernetesManifest, KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ArchivedVolumes } from './archived-volumes.ts';
import type { ClaimSource } from './claim-source.ts';
import { volumeObstacle } from './persistent-volume-decision.ts';
import type { TargetResources } from './target-resources.ts';
import { TargetStorage } from './target-storage.ts';

/** What is to be expected of a claim before it is created. */
export interface ClaimOutlook {
  readonly source: ClaimSource;
  /** Why it cannot be created. */
  readonly obstacle: { readonly reason: string; readonly message: string } | undefined;
}

/** What {@link ClaimOutlooks} work with. */
export interface ClaimOutlooksOptions {
  readonly cluster: Cluster;
  readonly volumes: ArchivedVolumes;
  readonly resources: TargetResources;
}

/** Finds out where the data of claims would come from, and what stands in the way of them. Only reads. */
export class ClaimOutlooks {
  readonly #options: ClaimOutlooksOptions;
  #storage: Promise<TargetStorage> | undefined;

  constructor(options: ClaimOutlooksOptions) {
    this.#options = options;
  }

  /** Tells where the data of a claim would come from, and what stands in the way of it. */
  async of(
    reference: ObjectReference,
    manifest: KubernetesManifest,
    itemFromBackup: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ClaimOutlook> {
    const source = await this.#options.volumes.sourceOf(itemFromBackup);
    return { source, obstacle: await this.#obstacleOf(reference, manifest, source, signal) };
  }

  /** Whether a claim of the class gets its volume only when a pod uses it. */
  async waitsForConsumer(
    storageClassName: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    return (await this.#storageOf(signal)).waitsForConsumer(storageClassName);
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
