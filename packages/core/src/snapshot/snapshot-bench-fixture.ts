import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { LogFields, Logger } from '../ports/logger.ts';
import { LeapingClock } from '../testing/leaping-clock.ts';
import type { SnapshotSession } from './snapshot-session.ts';
import type { TakeSnapshotRequest } from './take-snapshot-request.ts';
import { VolumeSnapshotter, type VolumeSnapshotterOptions } from './volume-snapshotter.ts';

/** What the bench needs of a fake cluster. */
export interface BenchCluster extends Cluster {
  readonly requests: readonly unknown[];
  readonly csi: { readonly storage: { readonly snapshots: ReadonlyMap<string, unknown> } };
  seed(manifests: readonly KubernetesManifest[]): unknown;
  settle(): Promise<void>;
}

/** A fake cluster with a bound claim `shop/data`, and the sessions opened on it: what the tests of snapshots work on. */
export class SnapshotBench<C extends BenchCluster> implements AsyncDisposable {
  readonly clock: LeapingClock;
  readonly cluster: C;
  readonly warnings: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  readonly #sessions: SnapshotSession[] = [];

  private constructor(createCluster: (clock: Clock) => C) {
    this.clock = new LeapingClock(() => this.cluster.requests.length);
    this.cluster = createCluster(this.clock);
  }

  static async open<C extends BenchCluster>(
    createCluster: (clock: Clock) => C,
  ): Promise<SnapshotBench<C>> {
    const bench = new SnapshotBench(createCluster);
    bench.cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    await bench.createClaim('data');
    return bench;
  }

  async createClaim(name: string): Promise<void> {
    const manifest: KubernetesManifest = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'shop' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    };
    await this.cluster.create(Resources.persistentVolumeClaims, manifest);
    await this.cluster.settle();
  }

  async openSession(options: Partial<VolumeSnapshotterOptions> = {}): Promise<SnapshotSession> {
    const { cluster, clock, warnings } = this;
    const ignore = (): void => undefined;
    const warn: Logger['warn'] = (message, fields) => void warnings.push({ message, fields });
    const logger: Logger = { debug: ignore, info: ignore, error: ignore, warn };
    const snapshotter = new VolumeSnapshotter({ cluster, clock, logger, ...options });
    const session = await snapshotter.openSession({ backupName: 'b-1', runId: 'run-1' });
    this.#sessions.push(session);
    return session;
  }

  /** A request for the snapshot of a claim. */
  async request(
    options: Partial<TakeSnapshotRequest> & { readonly className?: string } = {},
    claimName = 'data',
  ): Promise<TakeSnapshotRequest> {
    const { className = 'fake-csi', ...rest } = options;
    const claim = await this.#read(
      { ...Resources.persistentVolumeClaims, namespace: 'shop' },
      claimName,
    );
    const volumeName = stringAt(claim, ['spec', 'volumeName']) ?? '';
    const volume = await this.#read(Resources.persistentVolumes, volumeName);
    const snapshotClass = await this.#read(Resources.volumeSnapshotClasses, className);
    return { claim, volume, snapshotClass, ...rest };
  }

  /** What there is of snapshots: their objects, and what the storage holds. */
  async leftovers(): Promise<readonly string[]> {
    await this.cluster.settle();
    const snapshots = await Array.fromAsync(this.cluster.list(Resources.volumeSnapshots));
    const contents = await Array.fromAsync(this.cluster.list(Resources.volumeSnapshotContents));
    return [
      ...snapshots.map(() => 'VolumeSnapshot'),
      ...contents.map(() => 'VolumeSnapshotContent'),
      ...this.cluster.csi.storage.snapshots.keys().map(() => 'storage snapshot'),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) {
      await session[Symbol.asyncDispose]();
    }
    await this.cluster.close();
  }

  async #read(
    resource: {
      readonly group: string;
      readonly version: string;
      readonly resource: string;
      readonly namespace?: string;
    },
    name: string,
  ): Promise<KubernetesObject> {
    const found = await this.cluster.get({ ...resource, name });
    if (found === undefined) {
      throw new Error(`the bench has no ${resource.resource} ${name}`);
    }
    return found;
  }
}
