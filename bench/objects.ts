import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { KubeConfig } from '@kubernetes/client-node';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import { startS3Server } from '../test/object-stores/servers.ts';
import { bundleChild } from './bundle-child.ts';
import type { ObjectsTask, Target } from './measure-objects.ts';
import type { BareSelection } from './object-floor.ts';
import { prepareObjects } from './object-scene.ts';
import { describeObjects, type ObjectsSeries } from './objects-summary.ts';
import type { ObjectsFigures } from './report-figures.ts';
import { s3ClientOf } from './s3-client.ts';

const counts = [10_000, 60_000] as const;
const rounds = 3;
const bucket = 'bench-objects';
/** What `--max-semi-space-size` is set to: nothing, and what docs/guides/bounding-memory.md tells applications. */
const semiSpaces = [undefined, 8] as const;
const run = promisify(execFile);
type Report = (line: string) => void;

/**
 * Backs up 10,000 and 60,000 objects of the test cluster to files and to S3, in turns with the least that a backup can be, each in a
 * process of its own, once as it comes and once with bounded space for new objects. Resolves with a report.
 */
export async function benchmarkObjects(report: Report): Promise<string> {
  report('objects: bringing up the test cluster');
  const { stdout } = await run(join(import.meta.dirname, '../test/cluster/up.sh'), ['1'], {
    env: { ...process.env, NODE: '0' },
  });
  const kubeconfigPath = /^KUBECONFIG=(.*)$/m.exec(stdout)?.[1] ?? '';
  const script = await bundleChild('measure-objects');
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  await using s3 = await startS3Server(report);
  await s3ClientOf(s3.server).send(new CreateBucketCommand({ Bucket: bucket }));
  const targets: readonly Target[] = [
    { kind: 'file', folder: join(folder, 'store') },
    { kind: 's3', server: s3.server, bucket },
  ];
  await mkdir(join(folder, 'store'));
  try {
    const series: ObjectsSeries[] = [];
    for (const count of counts) {
      const selection = await selectionOf(kubeconfigPath, count, report);
      const child = new Child(script, kubeconfigPath, selection);
      for (const target of targets) {
        for (const semiSpaceMiB of semiSpaces) {
          series.push(await measureSeries(child, { count, semiSpaceMiB }, target, report));
        }
      }
      const plan = await child.measure('plan', targets[0]);
      series.push({ count, kind: 'plan', semiSpaceMiB: undefined, floor: [], engine: [plan] });
    }
    return describeObjects(series, loadavg()[0] ?? 0);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measureSeries(
  child: Child,
  { count, semiSpaceMiB }: Pick<ObjectsSeries, 'count' | 'semiSpaceMiB'>,
  target: Target,
  report: Report,
): Promise<ObjectsSeries> {
  const floor: ObjectsFigures[] = [];
  const engine: ObjectsFigures[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    floor.push(await child.measure('floor', target, semiSpaceMiB));
    engine.push(await child.measure('backup', target, semiSpaceMiB));
    const bound = semiSpaceMiB === undefined ? '' : `, semi-space ${semiSpaceMiB} MiB`;
    report(
      `objects: ${count} to ${target.kind}${bound}: ${JSON.stringify([floor.at(-1), engine.at(-1)])}`,
    );
  }
  return { count, kind: target.kind, semiSpaceMiB, floor, engine };
}

async function selectionOf(
  kubeconfigPath: string,
  count: number,
  report: Report,
): Promise<BareSelection> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfigPath);
  await using connection = connectKubeConfig(kubeConfig);
  return await prepareObjects(connection.cluster, count, report);
}

/** Measures in processes of their own. */
class Child {
  readonly #script: string;
  readonly #kubeconfigPath: string;
  readonly #selection: BareSelection;
  #runs = 0;

  constructor(script: string, kubeconfigPath: string, selection: BareSelection) {
    this.#script = script;
    this.#kubeconfigPath = kubeconfigPath;
    this.#selection = selection;
  }

  async measure(
    contender: ObjectsTask['contender'],
    target: Target | undefined,
    semiSpaceMiB?: number,
  ): Promise<ObjectsFigures> {
    if (target === undefined) throw new Error('there is no target');
    this.#runs += 1;
    const { namespaces } = this.#selection;
    const task: ObjectsTask = {
      ...{ contender, target, selection: this.#selection },
      kubeconfigPath: this.#kubeconfigPath,
      name: `${contender}-${namespaces[0] ?? ''}-${this.#runs}`,
    };
    const flags = semiSpaceMiB === undefined ? [] : [`--max-semi-space-size=${semiSpaceMiB}`];
    const { stdout } = await run(process.execPath, [...flags, this.#script, JSON.stringify(task)]);
    return JSON.parse(stdout) as ObjectsFigures;
  }
}
