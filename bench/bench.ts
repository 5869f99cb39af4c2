// pnpm bench [s3|gcs|azure …]: the adapters of the object stores against the plain SDKs; pnpm bench snapshots: snapshots
// against the bare requests; pnpm bench objects: backups of many objects;
// pnpm bench restore [number of objects]: their restores;
// pnpm bench velero [claims] [numbers of objects]: both beside the real Velero.
// docs/reference/benchmarks.md, docs/performance.md
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type StartedServer,
  startAzureServer,
  startGcsServer,
  startS3Server,
} from '../test/object-stores/servers.ts';
import type { BenchServer } from './contenders.ts';
import type { Measurement, Memory, Throughput } from './measure.ts';
import { mebibyte } from './noise.ts';
import { benchmarkObjects } from './objects.ts';
import { benchmarkRestore } from './restore.ts';
import { benchmarkSnapshots } from './snapshots.ts';
import { memoryResult, type Result, tableOf, throughputResult } from './summary.ts';
import { benchmarkVelero } from './velero.ts';
import { workloads } from './workload.ts';

const kinds = ['s3', 'gcs', 'azure'] as const;
type Kind = (typeof kinds)[number];

const rounds = 7;
const streamedBytes = 1024 * mebibyte;

/** Measures in a process of its own, against a server of its own: nothing is left of what was measured before. */
async function measure(kind: Kind, measurement: Measurement): Promise<unknown> {
  await using started = await startServer(kind);
  const task = JSON.stringify({ target: { kind, server: started.server }, measurement });
  const script = join(import.meta.dirname, 'measure.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=lifeboat-source',
    ...[script, task],
  ]);
  return JSON.parse(stdout);
}

function startServer(kind: Kind): Promise<StartedServer<BenchServer['server']>> {
  switch (kind) {
    case 's3':
      return startS3Server(report);
    case 'gcs':
      return startGcsServer(report);
    case 'azure':
      return startAzureServer(report);
  }
}

async function benchmark(kind: Kind): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const workload of Object.keys(workloads)) {
    report(`${kind}: ${workload}`);
    const figures = await measure(kind, { type: 'throughput', workload, rounds });
    results.push(throughputResult(kind, workload, figures as Throughput));
  }
  report(`${kind}: memory`);
  const memory = await measure(kind, { type: 'memory', sizeBytes: streamedBytes });
  results.push(memoryResult(kind, 'put a stream of 1 GiB', memory as Memory));
  return results;
}

function report(line: string): void {
  console.error(line);
}

const chosen = process.argv.slice(2);
const counts = chosen.map(Number).filter(Number.isInteger);
if (chosen.includes('snapshots')) {
  console.log(await benchmarkSnapshots(report));
}
if (chosen.includes('objects')) {
  console.log(await benchmarkObjects(report));
}
if (chosen.includes('restore')) {
  console.log(await benchmarkRestore(report, counts[0]));
}
if (chosen.includes('velero')) {
  console.log(await benchmarkVelero(report, { claims: chosen.includes('claims'), counts }));
}
const results: Result[] = [];
for (const kind of kinds) {
  if (chosen.length === 0 || chosen.includes(kind)) {
    results.push(...(await benchmark(kind)));
  }
}
if (results.length > 0) {
  console.log(`${tableOf(results)}\n\n${JSON.stringify(results)}`);
}
