import type { ClusterContractCase } from './cluster-contract-context.ts';
import { createCases } from './create-cases.ts';
import { deleteCases } from './delete-cases.ts';
import { discoveryCases } from './discovery-cases.ts';
import { failureCases } from './failure-cases.ts';
import { groupSnapshotCases } from './group-snapshot-cases.ts';
import { patchCases } from './patch-cases.ts';
import { readCases } from './read-cases.ts';
import { snapshotCases } from './snapshot-cases.ts';
import { watchCases } from './watch-cases.ts';

/**
 * The contract of the `Cluster` port as cases that need no test runner: what the real API server does, and what every
 * implementation and fake therefore has to do.
 *
 * A host runs each case with a context of its own, and leaves out those whose `needs` it does not give. Cases may run side
 * by side.
 *
 * @example
 * ```ts
 * for (const { name, run } of clusterContract) {
 *   it(name, async () => run(await openContext()));
 * }
 * ```
 */
export const clusterContract: readonly ClusterContractCase[] = [
  ...createCases,
  ...readCases,
  ...watchCases,
  ...patchCases,
  ...deleteCases,
  ...discoveryCases,
  ...failureCases,
  ...snapshotCases,
  ...groupSnapshotCases,
];
