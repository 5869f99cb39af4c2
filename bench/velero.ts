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
import { prepareObjects } from './object-scene.ts';
import { readRequestCount } from './request-count.ts';
import { s3ClientOf } from './s3-client.ts';
import { TargetNamespaces } from './target-namespaces.ts';
import { ClaimsNamespace } from './velero-claims.ts';
import {
  type Contender,
  engineContender,
  type Usage,
  veleroContender,
} from './velero-contenders.ts';
import { describeVelero, type VeleroFigures } from './velero-summary.ts';

const defaultCount = 2_000;
const objectRounds = 3;
const claims = 50;
const bucket = 'bench-velero';
const tuned = ['--client-qps=10000', '--client-burst=20000', '--item-block-worker-count=8'];
type Report = (line: string) => void;

/**
 * Backs up and restores objects of the test cluster, and backs up claims with their volumes, with Lifeboat, with the real Velero as it comes,
 * and with Velero tuned, in turns: one cluster, one S3 server. Resolves with a report.
 *
 * @param count of objects @default 2000
 */
export async function benchmarkVelero(
  report: Report,
  count: number = defaultCount,
): Promise<string> {
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
  const selection = await prepareObjects(cluster, count, report);
  for (let round = 1; round <= objectRounds; round += 1) {
    figures.push(...(await measureObjects(bench, selection, count, round)));
  }
  figures.push(...(await measureClaims(bench, server)));
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
  const startVelero = async (name: string, flags: readonly string[]): Promise<Contender> => {
    const namespace = `velero-${randomUUID().slice(0, 8)}`;
    const location = locationOf(server, name);
    const options = { binaries, cluster: description, namespace, location, credentials, flags };
    return veleroContender(`Velero, ${name}`, resources.use(await VeleroServer.start(options)));
  };
  const { kubeconfigPath } = description;
  const location = locationOf(server, 'lifeboat');
  const script = await bundleChild('measure-engine');
  return [
    engineContender(script, { kubeconfigPath, credentials, location }),
    await startVelero('defaults', []),
    await startVelero('tuned', tuned),
  ];
}

async function measureObjects(
  bench: Bench,
  selection: { readonly namespaces: readonly string[]; readonly resources: readonly string[] },
  count: number,
  round: number,
): Promise<readonly VeleroFigures[]> {
  const { cluster, report } = bench;
  const { namespaces, resources } = selection;
  const spec = { includedNamespaces: namespaces, includedNamespaceScopedResources: resources };
  const figures: VeleroFigures[] = [];
  // Who comes later may find the cluster slower, or warmer.
  for (const contender of turned(bench.contenders, round)) {
    const name = `objects-${count}-${round}`;
    const back = await counted(bench, () => contender.backUp(name, spec));
    figures.push({ work: `backup of ${count} objects`, contender: contender.name, ...back });
    await using target = new TargetNamespaces({ cluster, namespaces });
    const to = await counted(bench, () => contender.restore(`${name}-r`, name, target.mapping));
    figures.push({ work: `restore of ${count} objects`, contender: contender.name, ...to });
    report(`velero: round ${round}: ${JSON.stringify(figures.slice(-2))}`);
  }
  return figures;
}

async function measureClaims(bench: Bench, server: S3Server): Promise<readonly VeleroFigures[]> {
  const { cluster, report } = bench;
  await using namespace = await ClaimsNamespace.create(cluster, claims);
  const spec = { includedNamespaces: [namespace.name] };
  const figures: VeleroFigures[] = [];
  for (const contender of bench.contenders) {
    const taken = await counted(bench, () => contender.backUp('claims', spec));
    figures.push({ work: `backup of ${claims} claims`, contender: contender.name, ...taken });
    report(`velero: ${JSON.stringify(figures.at(-1))}`);
  }
  const credentials = credentialsOf(server);
  for (const prefix of ['lifeboat', 'defaults', 'tuned']) {
    await using store = s3ObjectStoreFromLocation(locationOf(server, prefix), { credentials });
    await createEngine({ cluster, store }).deleteBackup('claims');
  }
  return figures;
}

/** The API server's count is everybody's: nothing else may ask it meanwhile but its own controllers. */
async function counted(
  { description }: Bench,
  work: () => Promise<Usage>,
): Promise<Usage & { readonly requests: number }> {
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
