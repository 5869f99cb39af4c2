export { clusterContract } from './cluster-contract/cluster-contract.ts';
export type {
  ClusterContractCase,
  ClusterContractContext,
  ClusterContractNeed,
  CsiContractContext,
} from './cluster-contract/cluster-contract-context.ts';
export type { ContractCase } from './contract-case.ts';
export { FakeCluster, type FakeClusterOptions } from './fake-cluster/fake-cluster.ts';
