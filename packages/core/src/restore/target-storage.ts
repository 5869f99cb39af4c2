import { isLifeboatError } from '../errors.ts';
import type {
  GroupVersionResource,
  KubernetesManifest,
  KubernetesObject,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { ClaimSource } from './claim-source.ts';

const csiDrivers: GroupVersionResource = {
  group: 'storage.k8s.io',
  version: 'v1',
  resource: 'csidrivers',
};

/** Why the target cannot provide the volume of a claim. */
export interface StorageProblem {
  readonly reason: 'StorageClassMissing' | 'SnapshotApiMissing' | 'DriverMissing';
  readonly message: string;
}

/** What a cluster offers to claims. A list is `undefined` when it could not be read: the cluster lacks it, or we may not. */
export interface StorageFacts {
  readonly storageClasses: readonly KubernetesObject[] | undefined;
  readonly volumeSnapshotClasses: readonly KubernetesObject[] | 'not served' | undefined;
  readonly csiDrivers: readonly KubernetesObject[] | undefined;
}

/** The storage of the target cluster, as far as it decides whether a claim can get its volume. */
export class TargetStorage {
  readonly #facts: StorageFacts;

  constructor(facts: StorageFacts) {
    this.#facts = facts;
  }

  /** Reads what the target offers. A list that may not be read is taken for unknown, not for empty. */
  static async load(cluster: Cluster, options: CallOptions): Promise<TargetStorage> {
    const storageClasses = await list(cluster, Resources.storageClasses, options);
    const snapshotClasses = await list(cluster, Resources.volumeSnapshotClasses, options);
    const drivers = await list(cluster, csiDrivers, options);
    return new TargetStorage({
      storageClasses: known(storageClasses),
      volumeSnapshotClasses: snapshotClasses,
      csiDrivers: known(drivers),
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
    const { storageClasses, volumeSnapshotClasses, csiDrivers: drivers } = this.#facts;
    if (volumeSnapshotClasses === 'not served') {
      return {
        reason: 'SnapshotApiMissing',
        message:
          'the target cluster does not serve the VolumeSnapshot API; install the snapshot CRDs and the snapshot-controller, then restore again',
      };
    }
    if (storageClasses === undefined || drivers === undefined) {
      return undefined;
    }
    const known = new Set([
      ...drivers.map(({ metadata }) => metadata.name),
      ...storageClasses.map((storageClass) => stringAt(storageClass, ['provisioner']) ?? ''),
      ...(volumeSnapshotClasses ?? []).map(
        (snapshotClass) => stringAt(snapshotClass, ['driver']) ?? '',
      ),
    ]);
    return known.has(driver)
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

function known<T>(list: T | 'not served' | undefined): T | undefined {
  return list === 'not served' ? undefined : list;
}

async function list(
  cluster: Cluster,
  resource: GroupVersionResource,
  options: CallOptions,
): Promise<readonly KubernetesObject[] | 'not served' | undefined> {
  try {
    return await Array.fromAsync(cluster.list(resource, options));
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return 'not served';
    }
    if (isLifeboatError(error, 'Forbidden')) {
      return undefined;
    }
    throw error;
  }
}
