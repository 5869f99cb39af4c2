// A child process of bench.ts: measures one thing against one server, and prints the figures as JSON.
import { type BenchServer, createContenders } from './contenders.ts';
import { mebibyte, streamOf } from './noise.ts';
import { type Contender, workloads } from './workload.ts';

/** What to measure. */
export type Measurement =
  | { readonly type: 'throughput'; readonly workload: string; readonly rounds: number }
  | { readonly type: 'memory'; readonly sizeBytes: number };

/** What a child process is told. */
export interface MeasureTask {
  readonly target: BenchServer;
  readonly measurement: Measurement;
}

/** Milliseconds of each round. */
export interface Throughput {
  readonly sdkMs: readonly number[];
  readonly adapterMs: readonly number[];
}

/** The resident memory of the process. */
export interface Memory {
  readonly idleMiB: number;
  readonly peakMiB: number;
}

async function measureThroughput(
  target: BenchServer,
  name: string,
  rounds: number,
): Promise<Throughput> {
  const workload = workloads[name]?.();
  if (workload === undefined) throw new Error(`there is no workload ${name}`);
  const { sdk, adapter } = await createContenders(target);
  await workload.prepare?.(sdk);
  const timed = async (contender: Contender): Promise<number> => {
    const started = performance.now();
    await workload.run(contender);
    return performance.now() - started;
  };
  // Code that runs for the first time is slower.
  await timed(sdk);
  await timed(adapter);
  const sdkMs: number[] = [];
  const adapterMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    sdkMs.push(await timed(sdk));
    adapterMs.push(await timed(adapter));
  }
  return { sdkMs, adapterMs };
}

async function measureMemory(target: BenchServer, sizeBytes: number): Promise<Memory> {
  const { adapter } = await createContenders(target);
  // So that idle is a store which has worked before.
  await adapter.putStream('first', streamOf(1));
  const idleMiB = process.memoryUsage.rss() / mebibyte;
  await adapter.putStream('stream', streamOf(sizeBytes));
  return { idleMiB, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

const { target, measurement } = JSON.parse(process.argv[2] ?? '') as MeasureTask;
const figures =
  measurement.type === 'throughput'
    ? await measureThroughput(target, measurement.workload, measurement.rounds)
    : await measureMemory(target, measurement.sizeBytes);
console.log(JSON.stringify(figures));
