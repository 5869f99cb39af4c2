import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import {
  type BackupEvent,
  type Cluster,
  createEngine,
  type Engine,
  FileSystemObjectStore,
  type KubernetesObject,
  type Logger,
  type ObjectStore,
  parseJson,
  Resources,
} from '@lifeboat/core';
import { connectKubeConfig, type KubernetesConnection } from '@lifeboat/core/kubernetes';
import { isJsonObject } from '../../packages/core/src/model/json.ts';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import type { ClusterNumber, ClusterTestContext, TestCluster } from '../cluster/test-cluster.ts';

/** Who talks to the API server. */
export interface LabUser {
  /** @default 1 */
  readonly cluster?: ClusterNumber | undefined;
  /** @default 'administrator' */
  readonly user?: 'administrator' | 'nobody' | undefined;
  /** URL of the API server to ask instead of the real one. */
  readonly server?: string | undefined;
}

/** The driver of the test clusters. */
export const testDriver = 'dirvol.csi.lifeboat.test';

const groupApi = { group: 'groupsnapshot.storage.k8s.io', version: 'v1' };
const snapshotApis = [
  [Resources.volumeSnapshots, Resources.volumeSnapshotContents, 'volumeSnapshotRef'],
  [
    { ...groupApi, resource: 'volumegroupsnapshots' },
    { ...groupApi, resource: 'volumegroupsnapshotcontents' },
    'volumeGroupSnapshotRef',
  ],
] as const;

/** What a test backs up into and restores from; all of it is removed when the test has finished, snapshots included. */
export class BackupLab {
  readonly kit: TestCluster;
  /** The folder of the store. */
  readonly directory: string;
  readonly store: ObjectStore;
  readonly #context: ClusterTestContext;

  private constructor(kit: TestCluster, directory: string, context: ClusterTestContext) {
    this.kit = kit;
    this.directory = directory;
    this.store = new FileSystemObjectStore({ directory });
    this.#context = context;
  }

  static async open(kit: TestCluster, context: ClusterTestContext): Promise<BackupLab> {
    const directory = await mkdtemp(join(tmpdir(), 'lifeboat-e2e-'));
    context.onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const lab = new BackupLab(kit, directory, context);
    context.onTestFinished(() => lab.#freeSnapshots());
    return lab;
  }

  /** Connects until the end of the test. */
  connect(user: LabUser = {}): KubernetesConnection {
    const connection = this.#connect(user);
    this.#context.onTestFinished(() => connection.close());
    return connection;
  }

  /** An engine over the lab's store, or another one. */
  engine(user: LabUser = {}, store: ObjectStore = this.store, logger?: Logger): Engine {
    return createEngine({ ...this.connect(user), store, logger });
  }

  /** The keys in the store that start with a prefix, in order. */
  async keys(prefix = ''): Promise<readonly string[]> {
    const objects = await Array.fromAsync(this.store.list(prefix));
    return objects.map(({ key }) => key);
  }

  /** The handles of the storage snapshots that exist of volumes. */
  async storageSnapshotsOf(volumeHandles: readonly string[]): Promise<readonly string[]> {
    const directory = join(this.kit.describe().dirvolPath, 'snapshots');
    const handles: string[] = [];
    for (const handle of await readdir(directory)) {
      // It may go while the folder is read.
      const text = await readFile(join(directory, handle, 'meta.json'), 'utf8').catch(() => 'null');
      const meta = parseJson(text);
      const source = isJsonObject(meta) ? meta['Source'] : undefined;
      if (typeof source === 'string' && volumeHandles.includes(source)) {
        handles.push(handle);
      }
    }
    return handles;
  }

  /**
   * The names of the VolumeSnapshots and VolumeGroupSnapshots of a namespace, and of the contents that refer to it, as
   * `<kind>/<name>`.
   */
  async snapshotObjectsOf(namespace: string, cluster: Cluster): Promise<readonly string[]> {
    const objects: KubernetesObject[] = [];
    for (const [snapshots, contents, reference] of snapshotApis) {
      objects.push(...(await Array.fromAsync(cluster.list(snapshots, { namespace }))));
      for await (const content of cluster.list(contents)) {
        if (stringAt(content, ['spec', reference, 'namespace']) === namespace) {
          objects.push(content);
        }
      }
    }
    return objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  }

  #connect({ cluster = 1, user = 'administrator', server }: LabUser): KubernetesConnection {
    const { kubeconfigPath, nobodyToken } = this.kit.describe(cluster);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfigPath);
    const current = kubeConfig.getCurrentCluster();
    const admin = kubeConfig.getCurrentUser();
    if (current === null || admin === null) {
      throw new Error(`${kubeconfigPath} has no current context`);
    }
    kubeConfig.loadFromClusterAndUser(
      { ...current, server: server ?? current.server },
      user === 'nobody' ? { name: user, token: nobodyToken } : admin,
    );
    return connectKubeConfig(kubeConfig);
  }

  async #freeSnapshots(): Promise<void> {
    await using connection = this.#connect({});
    const engine = createEngine({ ...connection, store: this.store });
    for await (const { metadata } of engine.catalog.list()) {
      await engine.deleteBackup(metadata.name);
    }
  }
}

/** The states that the events of a backup tell of a claim's snapshot, in order. */
export function snapshotStatesIn(events: readonly BackupEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'snapshot' ? [event.state] : []));
}
