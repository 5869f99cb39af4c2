import type { GroupVersionResource } from '../../model/kubernetes.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { ContractCase } from '../contract-case.ts';

/** What a case may ask of its host: the name of the optional member of {@link ClusterContractContext} that it uses. */
export type ClusterContractNeed =
  | 'csi'
  | 'groupSnapshots'
  | 'forgetHistory'
  | 'breakConnections'
  | 'restrictedCluster'
  | 'unauthenticatedCluster'
  | 'unreachableCluster';

/** One rule of the Cluster port. */
export type ClusterContractCase = ContractCase<ClusterContractContext, ClusterContractNeed>;

/** The CSI driver that the snapshot cases use. */
export interface CsiContractContext {
  /** Name of the driver: `ebs.csi.aws.com`. */
  readonly driver: string;
  /** A StorageClass of the driver with volume binding mode Immediate. */
  readonly storageClassName: string;
  /** A VolumeSnapshotClass of the driver with deletion policy Delete. */
  readonly deletingSnapshotClassName: string;
  /** A VolumeSnapshotClass of the driver with deletion policy Retain. */
  readonly retainingSnapshotClassName: string;
}

/** What the group snapshot cases use besides: a driver that takes group snapshots, and version v1 of their API. */
export interface GroupSnapshotContractContext extends CsiContractContext {
  /** A VolumeGroupSnapshotClass of the driver with deletion policy Delete. */
  readonly groupSnapshotClassName: string;
}

/** What a host gives each case. */
export interface ClusterContractContext {
  /** The cluster under test, with every right. */
  readonly cluster: Cluster;
  /**
   * A namespace that exists, is empty but for what the server puts there, and is used by one case only. The host removes
   * it. Cluster-scoped objects of a case have names that contain it; the case removes them.
   */
  readonly namespace: string;
  /** Aborts when the case has taken too long. */
  readonly signal: AbortSignal;
  /** Opens one more connection to the same server with the same rights; the case closes it. */
  readonly open: () => Cluster;
  readonly csi?: CsiContractContext | undefined;
  readonly groupSnapshots?: GroupSnapshotContractContext | undefined;
  /**
   * Makes the server forget the past of a resource: continue tokens and resource versions given out so far expire, and an
   * open watch loses its place. Resolves once that is so.
   */
  readonly forgetHistory?: ((resource: GroupVersionResource) => Promise<void>) | undefined;
  /** Cuts every connection of `cluster` to the server, once; new ones succeed. */
  readonly breakConnections?: (() => Promise<void>) | undefined;
  /** The same server as a user without any rights. */
  readonly restrictedCluster?: Cluster | undefined;
  /** The same server with credentials that it does not know. */
  readonly unauthenticatedCluster?: Cluster | undefined;
  /** A server that does not answer. */
  readonly unreachableCluster?: Cluster | undefined;
}
