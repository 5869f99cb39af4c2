import type { TestProject } from 'vitest/node';
import {
  bootCluster,
  type ClusterDescription,
  MissingPrerequisiteError,
  stopClusters,
} from './boot-cluster.ts';

/** What the tests are told about the clusters; `testCluster()` is how they use it. */
export type ProvidedClusters =
  | { readonly available: false; readonly reason: string }
  | {
      readonly available: true;
      /** Both share the storage: a snapshot handle of one means the same in the other. */
      readonly clusters: readonly [ClusterDescription, ClusterDescription];
    };

declare module 'vitest' {
  export interface ProvidedContext {
    testCluster: ProvidedClusters;
  }
}

const underCi = process.env['CI'] === 'true';

/**
 * Brings up two clusters, or takes those that run, and tells the tests of them.
 *
 * - a missing prerequisite: told to the tests, which then skip; with `CI=true` the run fails
 */
export default async function setUpClusters(project: TestProject): Promise<() => Promise<void>> {
  const provided = await provideClusters();
  if (!provided.available) console.log(provided.reason);
  project.provide('testCluster', provided);
  return tearDown;
}

async function provideClusters(): Promise<ProvidedClusters> {
  const started = performance.now();
  try {
    // One first: two at once would fight for two cores, and only one may build the binaries anyway.
    const first = await bootCluster(1, { onProgress: report });
    const second = await bootCluster(2, { onProgress: report });
    report(`two clusters are up after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return { available: true, clusters: [first, second] };
  } catch (error) {
    if (underCi || !(error instanceof MissingPrerequisiteError)) throw error;
    return { available: false, reason: error.message };
  }
}

/** Leaves the clusters running for the next run, except under CI or if asked. */
async function tearDown(): Promise<void> {
  if (underCi || process.env['LIFEBOAT_CLUSTER_DOWN'] === '1') await stopClusters(report);
}

function report(line: string): void {
  console.log(`test cluster: ${line}`);
}
