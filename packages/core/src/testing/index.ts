export { clusterContract } from './cluster-contract/cluster-contract.ts';
export type {
  ClusterContractCase,
  ClusterContractContext,
  ClusterContractNeed,
  CsiContractContext,
  GroupSnapshotContractContext,
} from './cluster-contract/cluster-contract-context.ts';
export type { ContractCase } from './contract-case.ts';
export type { ClusterFault, ClusterFaults } from './fake-cluster/cluster-faults.ts';
export type { CsiCall, CsiFault } from './fake-cluster/csi/csi-faults.ts';
export type { ClaimReference, FakeCsiDriver } from './fake-cluster/csi/fake-csi-driver.ts';
export {
  FakeCsiStorage,
  type FakeFiles,
  type FakeSnapshot,
  type FakeVolume,
} from './fake-cluster/csi/fake-csi-storage.ts';
export { FakeCluster, type FakeClusterOptions } from './fake-cluster/fake-cluster.ts';
export type { FakeConnection } from './fake-cluster/fake-connection.ts';
export type { ExecHandler, ExecInput, ExecOutcome } from './fake-cluster/fake-pod-exec.ts';
export type { ClusterRequest } from './fake-cluster/request-log.ts';
export {
  FaultyObjectStore,
  type InjectedFault,
  type ObjectStoreFault,
  type ObjectStoreOperation,
} from './faulty-object-store.ts';
export { ManualClock } from './manual-clock.ts';
export { objectStoreContract } from './object-store-contract/object-store-contract.ts';
export {
  type ObjectStoreContractCase,
  type ObjectStoreContractContext,
  type ObjectStoreContractNeed,
  unmetNeed,
} from './object-store-contract/object-store-contract-context.ts';
export {
  type ObjectStoreFinding,
  type ObjectStoreReport,
  type ValidateObjectStoreOptions,
  validateObjectStore,
} from './validate-object-store.ts';
