import { randomUUID } from 'node:crypto';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { KubeConfig } from '@kubernetes/client-node';
import { type BackupStorageLocationSpec, type Cluster, createEngine } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import { s3ObjectStoreFromLocation } from '@lifeboat/storage-s3';
import { bootCluster, type ClusterDescription } from '../test/cluster/boot-cluster.ts';
import { buildVelero } from '../test/interop/build-velero.ts';
import { VeleroServer } from '../test/interop/velero-server.ts';
import { type S3Server, startS3Server } from '../test/object-stores/servers.ts';
import { bundleChild } from './bundle-child.ts';
import type { BareSelection } from './object-floor.ts';
import { prepareObjects } from './object-scene.ts';
import { readRequestCount } from './request-count.ts';
import { s3ClientOf } from './s3-client.ts';
import { TargetNamespaces } from './target-namespaces.ts';
import { ClaimsNamespace } from './velero-claims.ts';
import {
  bareContender,
  type Contender,
  engineContender,
  type Usage,
  veleroContender,
} from './velero-contenders.ts';
import { describeVelero, type VeleroFigures } from './velero-summary.ts';

const allCounts = [2_000, 10_000] as const;
const rounds = 3;
const claims = 50;
const prefixes = { ours: 'lifeboat', defaults: 'defaults', tuned: 'tuned' } as const;
const bucket = 'bench-velero';
const tuned = ['--client-qps=10000', '--client-burst=20000', '--item-block-worker-count=8'];
type Report = (line: string) => void;

/**
 * Backs up and restores objects of the test cluster, and backs up claims with their volumes, with Lifeboat, with the real Velero as it comes,
 * with Velero tuned, and by bare requests, in turns: one cluster, one S3 server. Resolves with a report.
 *
 * @param works if none is named, all: claims, 2000 objects, 10000 objects
 */
export async function benchmarkVelero(
  report: Report,
  works: { readonly claims: boolean; readonly counts: readonly number[] },
): Promise<string> {
  const isAll = !works.claims && works.counts.length === 0;
  await using resources = new AsyncDisposableStack();
  const description = await bootCluster(1, { node: false, onProgress: report });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(description.kubeconfigPath);
  const { cluster } = resources.use(connectKubeConfig(kubeConfig));
  const { server } = resources.use(await startS3Server(report));
  await s3ClientOf(server).send(new CreateBucketCommand({ Bucket: bucket }));
  const contenders = await prepareContenders({ description, server, resources, report });
  const bench: Bench = { cluster, description, contenders, report };
  const figures: VeleroFigures[] = [];
  for (let round = 1; (works.claims || isAll) && round <= rounds; round += 1) {
    figures.push(...(await measureClaims(bench, server, round)));
  }
  for (const count of isAll ? allCounts : works.counts) {
    const selection = await prepareObjects(cluster, count, report);
    for (let round = 1; round <= rounds; round += 1) {
      figures.push(...(await measureObjects(bench, selection, count, round)));
    }
  }
  return describeVelero(figures, loadavg()[0] ?? 0);
}

interface Bench {
  readonly cluster: Cluster;
  readonly description: ClusterDescription;
  readonly contenders: readonly Contender[];
  readonly report: Report;
}

async function prepareContenders({
  description,
  server,
  resources,
  report,
}: {
  readonly description: ClusterDescription;
  readonly server: S3Server;
  readonly resources: AsyncDisposableStack;
  readonly report: Report;
}): Promise<readonly Contender[]> {
  const binaries = await buildVelero(report);
  const credentials = credentialsOf(server);
  const startVelero = async (prefix: string, flags: readonly string[]): Promise<Contender> => {
    const namespace = `velero-${randomUUID().slice(0, 8)}`;
    const location = locationOf(server, prefix);
    const options = { binaries, cluster: description, namespace, location, credentials, flags };
    return veleroContender(`Velero, ${prefix}`, resources.use(await VeleroServer.start(options)));
  };
  const { kubeconfigPath, dirvolPath } = description;
  const location = locationOf(server, prefixes.ours);
  const storagePath = join(dirvolPath, 'snapshots');
  const bare = { kubeconfigPath, server, bucket, prefix: prefixes.ours, storagePath };
  return [
    engineContender(await bundleChild('measure-engine'), { kubeconfigPath, credentials, location }),
    bareContender(await bundleChild('measure-bare'), bare),
    await startVelero(prefixes.defaults, []),
    await startVelero(prefixes.tuned, tuned),
  ];
}

async function measureObjects(
  bench: Bench,
  selection: BareSelection,
  count: number,
  round: number,
): Promise<readonly VeleroFigures[]> {
  const { cluster, report } = bench;
  const { namespaces, resources } = selection;
  const spec = { includedNamespaces: namespaces, includedNamespaceScopedResources: resources };
  const name = `objects-${count}-${round}`;
  const figures: VeleroFigures[] = [];
  const keep = (work: string, contender: string, usage: Counted): void => {
    figures.push({ work: `${work} of ${count} objects`, contender, ...usage });
    report(`velero: round ${round}: ${JSON.stringify(figures.at(-1))}`);
  };
  // Who comes later may find the cluster slower, or warmer.
  for (const contender of turned(bench.contenders, round)) {
    keep('backup', contender.name, await counted(bench, () => contender.backUp(name, spec)));
  }
  for (const contender of turned(bench.contenders, round)) {
    await using target = new TargetNamespaces({ cluster, namespaces });
    const restore = (): Promise<Usage> => contender.restore(`${name}-r`, name, target.mapping);
    keep('restore', contender.name, await counted(bench, restore));
  }
  return figures;
}

async function measureClaims(
  bench: Bench,
  server: S3Server,
  round: number,
): Promise<readonly VeleroFigures[]> {
  const { cluster, report } = bench;
  await using namespace = await ClaimsNamespace.create(cluster, claims);
  const spec = { includedNamespaces: [namespace.name] };
  const name = `claims-${round}`;
  const figures: VeleroFigures[] = [];
  for (const contender of turned(bench.contenders, round)) {
    const taken = await counted(bench, () => contender.backUp(name, spec));
    figures.push({ work: `backup of ${claims} claims`, contender: contender.name, ...taken });
    report(`velero: round ${round}: ${JSON.stringify(figures.at(-1))}`);
  }
  const credentials = credentialsOf(server);
  for (const prefix of Object.values(prefixes)) {
    await using store = s3ObjectStoreFromLocation(locationOf(server, prefix), { credentials });
    await createEngine({ cluster, store }).deleteBackup(name);
  }
  return figures;
}

type Counted = Usage & { readonly requests: number };

/** The API server's count is everybody's: nothing else may ask it meanwhile but its own controllers. */
async function counted({ description }: Bench, work: () => Promise<Usage>): Promise<Counted> {
  const { binPath, kubeconfigPath } = description;
  const kubectl = join(binPath, 'kubectl');
  const before = await readRequestCount(kubectl, kubeconfigPath);
  const usage = await work();
  const requests = (await readRequestCount(kubectl, kubeconfigPath)) - before;
  return { ...usage, requests };
}

function turned<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function locationOf({ endpoint, region }: S3Server, prefix: string): BackupStorageLocationSpec {
  return {
    provider: 'aws',
    objectStorage: { bucket, prefix },
    config: { region, s3ForcePathStyle: 'true', s3Url: endpoint },
  };
}

function credentialsOf({ accessKeyId, secretAccessKey }: S3Server): string {
  return `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;
}
