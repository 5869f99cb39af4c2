import {
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { driversIn, listIfAllowed } from '../snapshot/known-drivers.ts';
import type { ClaimSource } from './claim-source.ts';
import type { TargetResources } from './target-resources.ts';

/** Why the target cannot provide the volume of a claim. */
export interface StorageProblem {
  readonly reason: 'StorageClassMissing' | 'SnapshotApiMissing' | 'DriverMissing';
  readonly message: string;
}

/** What a cluster offers to claims. A list is `undefined` when it could not be read: the cluster lacks it, or we may not. */
export interface StorageFacts {
  readonly storageClasses: readonly KubernetesObject[] | undefined;
  readonly csiDrivers: readonly KubernetesObject[] | undefined;
  readonly servesSnapshots: boolean;
}

/** The storage of the target cluster, as far as it decides whether a claim can get its volume. */
export class TargetStorage {
  readonly #facts: StorageFacts;

  constructor(facts: StorageFacts) {
    this.#facts = facts;
  }

  /** Reads what the target offers. A list that may not be read is taken for unknown, not for empty. */
  static async load(
    cluster: Cluster,
    resources: TargetResources,
    options: CallOptions,
  ): Promise<TargetStorage> {
    return new TargetStorage({
      storageClasses: await listIfAllowed(cluster, Resources.storageClasses, options),
      csiDrivers: await listIfAllowed(cluster, Resources.csiDrivers, options),
      servesSnapshots: resources.serves(groupResourceOf(Resources.volumeSnapshots)),
    });
  }

  /** Whether claims of a class wait for a pod that uses them before they get a volume. */
  waitsForConsumer(storageClassName: string | undefined): boolean {
    const storageClass = this.#facts.storageClasses?.find(
      ({ metadata }) => metadata.name === storageClassName,
    );
    return (
      storageClass !== undefined &&
      stringAt(storageClass, ['volumeBindingMode']) === 'WaitForFirstConsumer'
    );
  }

  /** What the target lacks for a claim; `undefined` when nothing is known to be missing. */
  problemOf(claim: KubernetesManifest, source: ClaimSource): StorageProblem | undefined {
    if (source.kind !== 'snapshot' && source.kind !== 'new volume') {
      return undefined;
    }
    const { storageClasses } = this.#facts;
    const className = stringAt(claim, ['spec', 'storageClassName']) ?? '';
    const names = storageClasses?.map(({ metadata }) => metadata.name);
    if (className !== '' && names?.includes(className) === false) {
      return {
        reason: 'StorageClassMissing',
        message: `its StorageClass ${className} does not exist in the target cluster, which has ${listed(names)}; create it, then restore again`,
      };
    }
    return source.kind === 'snapshot' ? this.#snapshotProblem(source.snapshot.driver) : undefined;
  }

  #snapshotProblem(driver: string): StorageProblem | undefined {
    const { storageClasses, csiDrivers: drivers, servesSnapshots } = this.#facts;
    if (!servesSnapshots) {
      return {
        reason: 'SnapshotApiMissing',
        message:
          'the target cluster does not serve the VolumeSnapshot API; install the snapshot CRDs and the snapshot-controller, then restore again',
      };
    }
    if (storageClasses === undefined || drivers === undefined) {
      return undefined;
    }
    return driversIn(drivers, storageClasses).has(driver)
      ? undefined
      : {
          reason: 'DriverMissing',
          message: `its snapshot belongs to the CSI driver ${driver}, which the target cluster does not have; it has ${listed(drivers.map(({ metadata }) => metadata.name))}`,
        };
  }
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : [...names].sort().join(', ');
}
