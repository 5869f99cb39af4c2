import { randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import type { TestContext } from 'vitest';
import { isJsonObject, parseJson } from '../../packages/core/src/model/json.ts';
import { type KubernetesObject, referenceTo } from '../../packages/core/src/model/kubernetes.ts';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { Resources } from '../../packages/core/src/model/resources.ts';
import type { Cluster } from '../../packages/core/src/ports/cluster.ts';
import type { SnapshotSession } from '../../packages/core/src/snapshot/snapshot-session.ts';
import {
  VolumeSnapshotter,
  type VolumeSnapshotterOptions,
} from '../../packages/core/src/snapshot/volume-snapshotter.ts';
import { type ClusterNumber, type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';

/** A bound claim, its volume, and what the storage calls that. */
export interface BoundVolume {
  readonly claim: KubernetesObject;
  readonly volume: KubernetesObject;
  readonly volumeHandle: string;
}

/** What the snapshot tests do on the real clusters, each in a namespace of its own. */
export class SnapshotLab {
  readonly kit: TestCluster;
  readonly namespace: string;
  readonly runId: string = randomUUID();
  readonly #context: TestContext;

  private constructor(kit: TestCluster, namespace: string, context: TestContext) {
    this.kit = kit;
    this.namespace = namespace;
    this.#context = context;
  }

  static async open(context: TestContext): Promise<SnapshotLab> {
    const kit = testCluster(context);
    return new SnapshotLab(kit, await kit.createNamespace('snapshot'), context);
  }

  /** Connects until the end of the test. */
  connect(number: ClusterNumber = 1, user: 'administrator' | 'nobody' = 'administrator'): Cluster {
    const { kubeconfigPath, nobodyToken } = this.kit.describe(number);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfigPath);
    const server = kubeConfig.getCurrentCluster();
    if (user === 'nobody' && server !== null) {
      kubeConfig.loadFromClusterAndUser(server, { name: 'nobody', token: nobodyToken });
    }
    const connection = connectKubeConfig(kubeConfig);
    this.#context.onTestFinished(() => connection.close());
    return connection.cluster;
  }

  /** Opens a session until the end of the test. */
  async openSession(
    cluster: Cluster,
    options: Partial<VolumeSnapshotterOptions> = {},
  ): Promise<SnapshotSession> {
    const snapshotter = new VolumeSnapshotter({ cluster, ...options });
    const session = await snapshotter.openSession({ backupName: 'b-1', runId: this.runId });
    this.#context.onTestFinished(() => session[Symbol.asyncDispose]());
    return session;
  }

  /** Creates a claim and waits until it is bound. */
  async createVolume(cluster: Cluster, name = 'data', greeting = 'hello'): Promise<BoundVolume> {
    await cluster.create(Resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: this.namespace },
      spec: {
        storageClassName: 'dirvol',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Mi' } },
      },
    });
    const bound = await this.boundVolume(cluster, this.namespace, name);
    await writeFile(join(this.kit.volumeDataPath(bound.volumeHandle), 'greeting'), greeting);
    return bound;
  }

  /** Waits until a claim is bound. */
  async boundVolume(cluster: Cluster, namespace: string, name: string): Promise<BoundVolume> {
    const reference = { ...Resources.persistentVolumeClaims, namespace, name };
    const claim = await waitFor(
      async () => {
        const found = await cluster.get(reference);
        return found && stringAt(found, ['status', 'phase']) === 'Bound' ? found : undefined;
      },
      { what: `claim ${namespace}/${name} to be bound` },
    );
    const volumeName = stringAt(claim, ['spec', 'volumeName']) ?? '';
    const volume = await cluster.get({ ...Resources.persistentVolumes, name: volumeName });
    const volumeHandle = volume && stringAt(volume, ['spec', 'csi', 'volumeHandle']);
    if (volume === undefined || volumeHandle === undefined) {
      throw new Error(`claim ${namespace}/${name} is bound to no CSI volume`);
    }
    return { claim, volume, volumeHandle };
  }

  async snapshotClass(cluster: Cluster, name = 'dirvol'): Promise<KubernetesObject> {
    const found = await cluster.get({ ...Resources.volumeSnapshotClasses, name });
    if (found === undefined) {
      throw new Error(`no VolumeSnapshotClass ${name}`);
    }
    return found;
  }

  /** Reads the file that {@link SnapshotLab.createVolume} wrote, in the volume itself. */
  async greetingOf({ volumeHandle }: BoundVolume): Promise<string> {
    return readFile(join(this.kit.volumeDataPath(volumeHandle), 'greeting'), 'utf8');
  }

  /** The handles of the storage snapshots that exist of a volume. */
  async storageSnapshotsOf({ volumeHandle }: BoundVolume): Promise<readonly string[]> {
    const directory = join(this.kit.describe().dirvolPath, 'snapshots');
    const handles: string[] = [];
    for (const handle of await readdir(directory)) {
      const text = await readFile(join(directory, handle, 'meta.json'), 'utf8').catch(() => 'null');
      const meta = parseJson(text);
      if (isJsonObject(meta) && meta['Source'] === volumeHandle) {
        handles.push(handle);
      }
    }
    return handles;
  }

  /** Makes the sidecar look at the namespace's contents now: after some failures it waits for half a minute. */
  async wakeSidecar(cluster: Cluster): Promise<void> {
    const patch = { metadata: { annotations: { 'lifeboat.test/wake': randomUUID() } } };
    for (const content of await this.#contents(cluster)) {
      const reference = referenceTo(Resources.volumeSnapshotContents, content);
      await cluster.patch(reference, { type: 'merge', patch });
    }
  }

  /** What is left of a namespace's snapshots: VolumeSnapshots, contents that refer to them, storage snapshots of a volume. */
  async leftovers(cluster: Cluster, volume: BoundVolume): Promise<readonly string[]> {
    const { namespace } = this;
    const snapshots = await Array.fromAsync(cluster.list(Resources.volumeSnapshots, { namespace }));
    const contents = await this.#contents(cluster);
    const handles = await this.storageSnapshotsOf(volume);
    return [
      ...snapshots.map(({ metadata }) => `VolumeSnapshot ${metadata.name}`),
      ...contents.map(({ metadata }) => `VolumeSnapshotContent ${metadata.name}`),
      ...handles.map((handle) => `storage snapshot ${handle}`),
    ];
  }

  async #contents(cluster: Cluster): Promise<readonly KubernetesObject[]> {
    const contents = await Array.fromAsync(cluster.list(Resources.volumeSnapshotContents));
    return contents.filter(
      (content) => stringAt(content, ['spec', 'volumeSnapshotRef', 'namespace']) === this.namespace,
    );
  }
}
