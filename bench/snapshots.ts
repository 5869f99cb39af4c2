import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import {
  type Cluster,
  type KubernetesObject,
  Resources,
  type TakeSnapshotRequest,
  VolumeSnapshotter,
} from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import { stringAt } from '../packages/core/src/model/object-path.ts';
import { waitFor } from '../test/cluster/wait-for.ts';
import { takeBareSnapshots } from './bare-snapshots.ts';
import { countRequests } from './counted-cluster.ts';
import { median } from './summary.ts';

const claims = 100;
const rounds = 4;
const snapshotClassName = 'dirvol';
/** A snapshot through the engine takes at most this many times the bare requests. */
export const mostRatio: number = 1.15;

/** What one round took, from the first request until the last object was gone. */
interface Round {
  readonly ms: number;
  readonly requests: number;
}

/**
 * Takes the snapshots of 100 claims of the test cluster and detaches them, once with a VolumeSnapshotter and once with bare
 * requests, in turns. Resolves with a report.
 */
export async function benchmarkSnapshots(report: (line: string) => void): Promise<string> {
  report('snapshots: bringing up the test cluster');
  const script = join(import.meta.dirname, '../test/cluster/up.sh');
  const { stdout } = await promisify(execFile)(script, ['1']);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(/^KUBECONFIG=(.*)$/m.exec(stdout)?.[1] ?? '');
  const description = /^CLUSTER=(.*)$/m.exec(stdout)?.[1] ?? '';
  const storage = join(description, '../../shared/dirvol/snapshots');
  await using connection = connectKubeConfig(kubeConfig);
  await using scene = await BenchNamespace.create(connection.cluster, report);

  const free = async (handles: readonly string[]): Promise<void> => {
    for (const handle of handles) {
      await rm(join(storage, handle), { recursive: true });
    }
  };
  const timed = async (take: (cluster: Cluster) => Promise<readonly string[]>): Promise<Round> => {
    const { cluster, takeCount } = countRequests(connection.cluster);
    const started = performance.now();
    const handles = await take(cluster);
    const ms = performance.now() - started;
    await free(handles);
    return { ms, requests: takeCount() };
  };
  const bare = (cluster: Cluster): Promise<readonly string[]> =>
    takeBareSnapshots(cluster, scene.namespace, scene.claimNames, snapshotClassName);
  const ours = (cluster: Cluster): Promise<readonly string[]> =>
    takeSnapshots(cluster, scene.requests);
  await timed(bare);
  const figures: { readonly bare: Round; readonly ours: Round }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    // Who comes second may find the cluster slower, or warmer.
    if (round % 2 === 1) {
      figures.push({ bare: await timed(bare), ours: await timed(ours) });
    } else {
      figures.push({ ours: await timed(ours), bare: await timed(bare) });
    }
    report(`snapshots: round ${round} of ${rounds}: ${JSON.stringify(figures.at(-1))}`);
  }
  return describe(figures);
}

async function takeSnapshots(
  cluster: Cluster,
  requests: readonly TakeSnapshotRequest[],
): Promise<readonly string[]> {
  const snapshotter = new VolumeSnapshotter({ cluster });
  await using session = await snapshotter.openSession({ backupName: 'bench', runId: randomUUID() });
  return await Promise.all(
    requests.map(async (request) => {
      const snapshot = await session.take(request);
      await session.detach(snapshot);
      return snapshot.snapshotHandle;
    }),
  );
}

function describe(figures: readonly { readonly bare: Round; readonly ours: Round }[]): string {
  const ours = figures.map((figure) => figure.ours);
  const bare = figures.map((figure) => figure.bare);
  const ratio = median(ours.map(({ ms }) => ms)) / median(bare.map(({ ms }) => ms));
  const line = (name: string, taken: readonly Round[]): string =>
    `| ${name} | ${taken.map(({ ms }) => (ms / 1000).toFixed(1)).join(', ')} | ${((taken[0]?.requests ?? 0) / claims).toFixed(2)} |`;
  return [
    `| ${claims} snapshots | seconds of each round | requests per snapshot |`,
    '| --- | --- | --- |',
    line('VolumeSnapshotter', ours),
    line('bare requests', bare),
    '',
    `ratio of the medians: ${ratio.toFixed(2)}, target at most ${mostRatio}: ${ratio <= mostRatio ? 'met' : 'missed'}`,
  ].join('\n');
}

/** A namespace with bound claims, deleted at the end. */
class BenchNamespace implements AsyncDisposable {
  readonly namespace: string;
  readonly requests: readonly TakeSnapshotRequest[];
  readonly #cluster: Cluster;

  private constructor(
    cluster: Cluster,
    namespace: string,
    requests: readonly TakeSnapshotRequest[],
  ) {
    this.#cluster = cluster;
    this.namespace = namespace;
    this.requests = requests;
  }

  get claimNames(): readonly string[] {
    return this.requests.map(({ claim }) => claim.metadata.name);
  }

  static async create(cluster: Cluster, report: (line: string) => void): Promise<BenchNamespace> {
    const namespace = `bench-${randomUUID().slice(0, 8)}`;
    report(`snapshots: creating ${claims} claims in namespace ${namespace}`);
    const metadata = { name: namespace };
    await cluster.create(Resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
    for (let index = 0; index < claims; index += 1) {
      await cluster.create(Resources.persistentVolumeClaims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: `data-${index}`, namespace },
        spec: {
          storageClassName: 'dirvol',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Mi' } },
        },
      });
    }
    const bound = await waitFor(async () => boundClaims(cluster, namespace), {
      what: 'the claims to be bound',
      timeoutMs: 300_000,
    });
    const snapshotClass = await read(cluster, Resources.volumeSnapshotClasses, snapshotClassName);
    const requests: TakeSnapshotRequest[] = [];
    for (const claim of bound) {
      const volumeName = stringAt(claim, ['spec', 'volumeName']) ?? '';
      const volume = await read(cluster, Resources.persistentVolumes, volumeName);
      requests.push({ claim, volume, snapshotClass });
    }
    return new BenchNamespace(cluster, namespace, requests);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.delete({ ...Resources.namespaces, name: this.namespace });
  }
}

async function boundClaims(
  cluster: Cluster,
  namespace: string,
): Promise<readonly KubernetesObject[] | undefined> {
  const listed = await Array.fromAsync(
    cluster.list(Resources.persistentVolumeClaims, { namespace }),
  );
  const bound = listed.filter((claim) => stringAt(claim, ['status', 'phase']) === 'Bound');
  return bound.length === claims ? bound : undefined;
}

async function read(
  cluster: Cluster,
  resource: Omit<Parameters<Cluster['get']>[0], 'name' | 'namespace'>,
  name: string,
): Promise<KubernetesObject> {
  const found = await cluster.get({ ...resource, name });
  if (found === undefined) throw new Error(`there is no ${resource.resource} ${name}`);
  return found;
}
