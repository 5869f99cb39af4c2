import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import type { Cluster } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import { bundleChild } from './bundle-child.ts';
import type { RestoreTask } from './measure-restore.ts';
import { prepareObjects } from './object-scene.ts';
import type { ObjectsFigures } from './report-figures.ts';
import { describeRestores, type RestoreRound } from './restore-summary.ts';
import { TargetNamespaces } from './target-namespaces.ts';

const defaultCount = 10_000;
const rounds = 3;
const concurrencies = [4, 8, 16, 32, 64] as const;
const triedObjects = 1_000;
const backupName = 'bench';
const run = promisify(execFile);
type Report = (line: string) => void;
type Mapping = RestoreTask['mapping'];
type Measure = (
  contender: RestoreTask['contender'],
  mapping: Mapping,
  most?: number,
) => Promise<ObjectsFigures>;

/**
 * Restores objects of the test cluster into new namespaces, and again onto the objects that are there then, in turns with the least
 * that either can be, each in a process of its own. Resolves with a report.
 *
 * @param count of objects @default 10000
 */
export async function benchmarkRestore(
  report: Report,
  count: number = defaultCount,
): Promise<string> {
  report('restore: bringing up the test cluster');
  const { stdout } = await run(join(import.meta.dirname, '../test/cluster/up.sh'), ['1'], {
    env: { ...process.env, NODE: '0' },
  });
  const kubeconfigPath = /^KUBECONFIG=(.*)$/m.exec(stdout)?.[1] ?? '';
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfigPath);
  await using connection = connectKubeConfig(kubeConfig);
  const { cluster } = connection;
  const selection = await prepareObjects(cluster, count, report);
  const script = await bundleChild('measure-restore');
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  const measureAt =
    (concurrency: number): Measure =>
    async (contender, mapping, most) => {
      const task: RestoreTask = {
        ...{ contender, kubeconfigPath, selection, folder, backupName, mapping },
        ...{ concurrency, most },
      };
      const child = await run(process.execPath, [script, JSON.stringify(task)]);
      report(`restore: ${contender}: ${child.stdout.trim()}`);
      return JSON.parse(child.stdout) as ObjectsFigures;
    };
  try {
    await measureAt(1)('backup', {});
    const scene = { cluster, namespaces: selection.namespaces, report };
    const concurrency = await bestConcurrency(scene, measureAt);
    const figures: RestoreRound[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      figures.push(await measureRound(scene, measureAt(concurrency), round % 2 === 1));
      report(`restore: round ${round} of ${rounds}: ${JSON.stringify(figures.at(-1))}`);
    }
    return describeRestores(count, concurrency, figures, loadavg()[0] ?? 0);
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface Scene {
  readonly cluster: Cluster;
  readonly namespaces: readonly string[];
  readonly report: Report;
}

/** At which concurrency bare requests create some of the objects fastest. */
async function bestConcurrency(
  scene: Scene,
  measureAt: (concurrency: number) => Measure,
): Promise<number> {
  const tried: { readonly concurrency: number; readonly ms: number }[] = [];
  for (const concurrency of concurrencies) {
    await using target = new TargetNamespaces(scene);
    const { ms } = await measureAt(concurrency)('create', target.mapping, triedObjects);
    scene.report(`restore: ${triedObjects} bare requests, ${concurrency} at a time: ${ms} ms`);
    tried.push({ concurrency, ms });
  }
  return tried.toSorted((a, b) => a.ms - b.ms)[0]?.concurrency ?? 1;
}

async function measureRound(
  scene: Scene,
  measure: Measure,
  isFloorFirst: boolean,
): Promise<RestoreRound> {
  const create = async (): Promise<ObjectsFigures> => {
    await using target = new TargetNamespaces(scene);
    return await measure('create', target.mapping);
  };
  // Who comes second may find the cluster slower, or warmer.
  const before = isFloorFirst ? await create() : undefined;
  await using target = new TargetNamespaces(scene);
  const restore = await measure('restore', target.mapping);
  const compareFirst = isFloorFirst ? await measure('compare', target.mapping) : undefined;
  const again = await measure('restore', target.mapping);
  const compare = compareFirst ?? (await measure('compare', target.mapping));
  return { create: before ?? (await create()), restore, compare, again };
}
