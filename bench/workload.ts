import { runAll } from '../packages/core/src/internal/run-all.ts';
import { mebibyte, noiseOf, streamOf } from './noise.ts';

/** Who does the work: the adapter, or the plain SDK by its own means. */
export interface Contender {
  putBytes(key: string, bytes: Uint8Array): Promise<void>;
  /** The length is not told: archives are written while they are uploaded. */
  putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  get(key: string): Promise<AsyncIterable<Uint8Array>>;
}

/** Work that is timed. */
export interface Workload {
  /** Stores what is read, for work that reads. */
  prepare?(contender: Contender): Promise<void>;
  run(contender: Contender): Promise<void>;
}

const largeBytes = 256 * mebibyte;
const smallBytes = 2 * 1024;
const smallKeys: readonly string[] = Array.from({ length: 1_000 }, (_, i) => `small/${i}`);
const smallConcurrency = 8;

/** Makes the work of a name; the bytes it stores are made here, once. */
export const workloads: Readonly<Record<string, () => Workload>> = {
  'put 256 MiB of memory': () => {
    const bytes = noiseOf(largeBytes);
    return { run: (contender) => contender.putBytes('large', bytes) };
  },
  'put a stream of 256 MiB': () => ({
    run: (contender) => contender.putStream('large', streamOf(largeBytes)),
  }),
  'get 256 MiB': () => ({
    prepare: (contender) => contender.putStream('large', streamOf(largeBytes)),
    run: (contender) => read(contender, 'large', largeBytes),
  }),
  'put 1,000 × 2 KiB': () => ({ run: putSmall }),
  'get 1,000 × 2 KiB': () => ({
    prepare: putSmall,
    run: (contender) => forEachSmall((key) => read(contender, key, smallBytes)),
  }),
};

function putSmall(contender: Contender): Promise<void> {
  const bytes = noiseOf(smallBytes);
  return forEachSmall((key) => contender.putBytes(key, bytes));
}

function forEachSmall(work: (key: string) => Promise<void>): Promise<void> {
  return runAll(smallKeys, work, { concurrency: smallConcurrency });
}

async function read(contender: Contender, key: string, sizeBytes: number): Promise<void> {
  let readBytes = 0;
  for await (const chunk of await contender.get(key)) {
    readBytes += chunk.byteLength;
  }
  if (readBytes !== sizeBytes) {
    throw new Error(`${key} has ${readBytes} bytes, not ${sizeBytes}`);
  }
}
