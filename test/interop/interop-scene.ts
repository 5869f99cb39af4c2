import {
  createEngine,
  type Engine,
  type KubernetesObject,
  type ObjectStore,
  Resources,
} from '@lifeboat/core';
import type { KubernetesConnection } from '@lifeboat/core/kubernetes';
import type { TestContext } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { type ClusterNumber, type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from '../e2e/backup-lab.ts';
import type { VeleroPair } from './velero-pair.ts';
import type { VeleroServer } from './velero-server.ts';

/** Velero looks into its stores once a minute, whatever the period of a location is. */
const syncTimeoutMs = 180_000;
const veleroApi = { group: 'velero.io', version: 'v1' };

/** What a restore by Velero is asked. */
export interface VeleroRestore {
  readonly backup: string;
  /** Namespace of the backup → namespace of the target. @default none is mapped */
  readonly mappings?: Readonly<Record<string, string>> | undefined;
  /** @default 1 */
  readonly cluster?: ClusterNumber | undefined;
}

/** One test beside Velero: both over one bucket, and what it makes is removed when it has finished, storage snapshots included. */
export class InteropScene {
  readonly kit: TestCluster;
  readonly lab: BackupLab;
  readonly store: ObjectStore;
  readonly #context: TestContext;
  readonly #pair: VeleroPair;
  readonly #connections: Record<ClusterNumber, KubernetesConnection>;

  private constructor(context: TestContext, pair: VeleroPair, lab: BackupLab) {
    this.#context = context;
    this.#pair = pair;
    this.kit = lab.kit;
    this.lab = lab;
    this.store = pair.openStore();
    context.onTestFinished(() => this.store.close());
    this.#connections = { 1: lab.connect(), 2: lab.connect({ cluster: 2 }) };
  }

  static async open(context: TestContext, pair: VeleroPair): Promise<InteropScene> {
    context.onTestFailed(() => pair.keepLogs());
    const lab = await BackupLab.open(testCluster(context, { node: true }), context);
    return new InteropScene(context, pair, lab);
  }

  connection(cluster: ClusterNumber = 1): KubernetesConnection {
    return this.#connections[cluster];
  }

  engine(cluster: ClusterNumber = 1): Engine {
    return createEngine({ ...this.connection(cluster), store: this.store });
  }

  velero(cluster: ClusterNumber = 1): VeleroServer {
    return this.#pair.server(cluster);
  }

  /** Reads a custom resource of Velero. */
  veleroObject(
    resource: 'backups' | 'restores',
    name: string,
    cluster: ClusterNumber = 1,
  ): Promise<KubernetesObject | undefined> {
    const { namespace } = this.velero(cluster);
    return this.connection(cluster).cluster.get({ ...veleroApi, resource, namespace, name });
  }

  /** Waits until Velero has found a backup in the bucket. */
  untilSynced(backup: string, cluster: ClusterNumber = 1): Promise<KubernetesObject> {
    return waitFor(() => this.veleroObject('backups', backup, cluster), {
      what: `Velero of cluster ${cluster} to find backup ${backup}`,
      timeoutMs: syncTimeoutMs,
    });
  }

  /** Waits until Velero has noticed that a backup is not in the bucket any more. */
  async untilForgotten(backup: string, cluster: ClusterNumber = 1): Promise<void> {
    await waitFor(async () => (await this.veleroObject('backups', backup, cluster)) === undefined, {
      what: `Velero of cluster ${cluster} to forget backup ${backup}`,
      timeoutMs: syncTimeoutMs,
    });
  }

  /** Has Velero back up namespaces, and returns the phase that it ends with. */
  async backUpByVelero(name: string, ...args: readonly string[]): Promise<string | undefined> {
    await this.velero().run('backup', 'create', name, ...args, '--wait');
    return this.#phaseOf('backups', name, 1);
  }

  /** Has Velero restore, and returns the phase that it ends with. */
  async restoreByVelero(name: string, restore: VeleroRestore): Promise<string | undefined> {
    const { backup, mappings = {}, cluster = 1 } = restore;
    const pairs = Object.entries(mappings).map(([from, to]) => `${from}:${to}`);
    const mapped = pairs.length === 0 ? [] : [`--namespace-mappings=${pairs.join(',')}`];
    const args = ['restore', 'create', name, `--from-backup=${backup}`, ...mapped, '--wait'];
    await this.velero(cluster).run(...args);
    return this.#phaseOf('restores', name, cluster);
  }

  /** Has Velero delete a backup, and waits until it has. */
  async deleteByVelero(backup: string, cluster: ClusterNumber = 1): Promise<void> {
    await this.velero(cluster).run('backup', 'delete', backup, '--confirm');
    await this.untilForgotten(backup, cluster);
  }

  /** Deletes a backup with its storage snapshots at the end, if it is still there, and what Velero has left that restored it. */
  deleteBackupAtEnd(backup: string): void {
    this.#context.onTestFinished(async () => {
      await this.engine().deleteBackup(backup);
      const left = ['volumesnapshotcontents', `--selector=velero.io/backup-name=${backup}`];
      for (const cluster of [1, 2] as const) {
        // Those that are bound go when their namespace is gone.
        await this.kit.kubectl(['delete', ...left, '--wait=false'], { cluster });
      }
    });
  }

  /** Reads an object of the bucket whole. */
  async read(key: string): Promise<Uint8Array> {
    return Buffer.concat(await Array.fromAsync(await this.store.get(key)));
  }

  /** The keys below the directory of a backup, without it. */
  async filesOf(backup: string): Promise<readonly string[]> {
    const prefix = `backups/${backup}/`;
    const keys = await Array.fromAsync(this.store.list(prefix), ({ key }) => key);
    return keys.map((key) => key.slice(prefix.length));
  }

  /** Leaves of a backup what Velero writes, too. */
  async removeFilesOfOurOwn(backup: string): Promise<void> {
    const files = await this.filesOf(backup);
    for (const file of files.filter((name) => name.startsWith('lifeboat-'))) {
      await this.store.delete(`backups/${backup}/${file}`);
    }
  }

  /** Deletes a namespace and waits until it is gone. */
  async loseNamespace(namespace: string, cluster: ClusterNumber = 1): Promise<void> {
    const reference = { ...Resources.namespaces, name: namespace };
    const { cluster: api } = this.connection(cluster);
    await api.delete(reference);
    await waitFor(async () => (await api.get(reference)) === undefined, {
      what: `namespace ${namespace} to be gone`,
      timeoutMs: 120_000,
    });
  }

  async #phaseOf(
    resource: 'backups' | 'restores',
    name: string,
    cluster: ClusterNumber,
  ): Promise<string | undefined> {
    const object = await this.veleroObject(resource, name, cluster);
    return object && stringAt(object, ['status', 'phase']);
  }
}
