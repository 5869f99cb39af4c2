import { type Cluster, Resources, type StringMap } from '@lifeboat/core';
import { expect } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { type ClusterTestContext, type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';

/** Which claim a scene begins with. */
export interface VolumeSceneOptions {
  /** @default 'dirvol' */
  readonly storageClassName?: string | undefined;
  readonly annotations?: StringMap | undefined;
  readonly labels?: StringMap | undefined;
}

/** A namespace with one claim, `data`, and its volume; no pods, which take time. */
export class VolumeScene {
  readonly kit: TestCluster;
  readonly lab: BackupLab;
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly volumeHandle: string;
  /** The claim, as issues name it. */
  readonly claim: {
    readonly groupResource: string;
    readonly namespace: string;
    readonly name: string;
  };

  private constructor(lab: BackupLab, cluster: Cluster, namespace: string, volumeHandle: string) {
    this.kit = lab.kit;
    this.lab = lab;
    this.cluster = cluster;
    this.namespace = namespace;
    this.volumeHandle = volumeHandle;
    this.claim = { groupResource: 'persistentvolumeclaims', namespace, name: 'data' };
  }

  static async open(
    context: ClusterTestContext,
    options: VolumeSceneOptions = {},
  ): Promise<VolumeScene> {
    const lab = await BackupLab.open(testCluster(context), context);
    const { cluster } = lab.connect();
    const namespace = await lab.kit.createNamespace('volume');
    await createClaim(cluster, namespace, options);
    const volumeHandle = await boundVolumeHandle(cluster, namespace);
    return new VolumeScene(lab, cluster, namespace, volumeHandle);
  }

  /** What to ask of the engine: this namespace, nothing else. */
  get request(): {
    readonly name: string;
    readonly spec: { readonly includedNamespaces: readonly string[] };
  } {
    return { name: 'backup', spec: { includedNamespaces: [this.namespace] } };
  }

  /** Deletes the claim and waits until it is gone. */
  async loseClaim(): Promise<void> {
    const { namespace, cluster } = this;
    const reference = { ...Resources.persistentVolumeClaims, namespace, name: 'data' };
    await cluster.delete(reference);
    await waitFor(async () => (await cluster.get(reference)) === undefined, {
      what: `claim ${namespace}/data to be gone`,
    });
  }

  /** The storage snapshots that exist of the volume. */
  storageSnapshots(): Promise<readonly string[]> {
    return this.lab.storageSnapshotsOf([this.volumeHandle]);
  }

  /** Asserts that a backup which came to nothing has left nothing: no snapshot object, no storage snapshot, no key. */
  async expectNothingLeft(): Promise<void> {
    expect(await this.lab.snapshotObjectsOf(this.namespace, this.cluster)).toEqual([]);
    expect(await this.storageSnapshots()).toEqual([]);
    expect(await this.lab.keys()).toEqual([]);
  }
}

/** Creates a claim of 1Mi, `data` unless named otherwise; the class decides when it is bound. */
export async function createClaim(
  cluster: Cluster,
  namespace: string,
  {
    name = 'data',
    storageClassName = 'dirvol',
    annotations = {},
    labels = {},
  }: VolumeSceneOptions & { readonly name?: string | undefined } = {},
): Promise<void> {
  await cluster.create(Resources.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, annotations, labels },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Mi' } },
    },
  });
}

/** Waits until a claim is bound and returns what the storage calls its volume. */
export async function boundVolumeHandle(
  cluster: Cluster,
  namespace: string,
  name = 'data',
): Promise<string> {
  return waitFor(
    async () => {
      const claim = await cluster.get({ ...Resources.persistentVolumeClaims, namespace, name });
      if (claim === undefined || stringAt(claim, ['status', 'phase']) !== 'Bound') {
        return undefined;
      }
      const volumeName = stringAt(claim, ['spec', 'volumeName']) ?? '';
      const volume = await cluster.get({ ...Resources.persistentVolumes, name: volumeName });
      return volume && stringAt(volume, ['spec', 'csi', 'volumeHandle']);
    },
    { what: `claim ${namespace}/${name} to be bound to a CSI volume` },
  );
}
