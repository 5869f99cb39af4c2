import { systemClock } from '../internal/system-clock.ts';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { fakeCsiDriverName } from '../testing/fake-cluster/csi/fake-csi-driver.ts';
import { FakeCsiStorage } from '../testing/fake-cluster/csi/fake-csi-storage.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { dependenciesOf, keysOf, storeDeletableBackup } from './deletable-backup-fixture.ts';
import { deleteBackup } from './delete-backup.ts';
import type {
  DeleteBackupDependencies,
  DeleteBackupOptions,
  DeleteBackupResult,
} from './delete-request.ts';

/** A cluster, its storage and a store: what the tests of deletion work on. */
export class DeletionBench implements AsyncDisposable {
  readonly storage: FakeCsiStorage = new FakeCsiStorage();
  readonly cluster: FakeCluster;
  readonly memory: MemoryObjectStore = new MemoryObjectStore();
  /** The same store, with faults. */
  readonly store: FaultyObjectStore = new FaultyObjectStore(this.memory);
  readonly clock: Clock;

  constructor(clock: Clock = systemClock, { withCsi = true }: { readonly withCsi?: boolean } = {}) {
    this.clock = clock;
    this.cluster = new FakeCluster({ csiStorage: this.storage, withCsi });
  }

  get dependencies(): DeleteBackupDependencies {
    return dependenciesOf(this.cluster, this.store, this.clock);
  }

  /** Makes a snapshot on the storage and returns its handle. */
  addSnapshot(name: string): string {
    return this.storage.addSnapshot({
      name,
      sourceVolumeHandle: 'v-1',
      sizeBytes: 1n,
      createdAt: new Date(0),
      readyAt: new Date(0),
      files: new Map(),
    }).handle;
  }

  /** Stores a backup with snapshots of its own, and returns their handles. */
  async addBackup(name: string, snapshots = 1): Promise<readonly string[]> {
    const handles = Array.from({ length: snapshots }, (_, index) =>
      this.addSnapshot(`${name}-${index}`),
    );
    await storeDeletableBackup(this.memory, { name, handles });
    return handles;
  }

  /** Stands for a snapshot in the cluster as a backup or restore would have left it. */
  keepContent(
    name: string,
    snapshotHandle: string,
    labels: Readonly<Record<string, string>>,
  ): void {
    const content: KubernetesManifest = {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotContent',
      metadata: { name, labels },
      spec: {
        driver: fakeCsiDriverName,
        deletionPolicy: 'Retain',
        source: { snapshotHandle },
        volumeSnapshotRef: { namespace: `ns-${name}`, name: `name-${name}` },
      },
      status: { snapshotHandle, readyToUse: true },
    };
    this.cluster.seed([content]);
  }

  delete(name: string, options?: DeleteBackupOptions): Promise<DeleteBackupResult> {
    return deleteBackup(this.dependencies, name, options);
  }

  /** The handles of the snapshots that the storage holds. */
  get handles(): readonly string[] {
    return [...this.storage.snapshots.keys()];
  }

  keys(prefix?: string): Promise<readonly string[]> {
    return keysOf(this.memory, prefix);
  }

  /** The names of the VolumeSnapshotContents in the cluster. */
  async contents(): Promise<readonly string[]> {
    await this.cluster.settle();
    const listed = this.cluster.list(Resources.volumeSnapshotContents);
    return Array.fromAsync(listed, ({ metadata }) => metadata.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}
