import { randomUUID } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The calls of a CSI driver that matter here. */
export type CsiCall =
  | 'CreateVolume'
  | 'DeleteVolume'
  | 'CreateSnapshot'
  | 'DeleteSnapshot'
  | 'ListSnapshots'
  | 'CreateVolumeGroupSnapshot'
  | 'GetVolumeGroupSnapshot'
  | 'DeleteVolumeGroupSnapshot'
  | 'NodePublishVolume'
  | 'NodeUnpublishVolume';

/** The gRPC codes by which a driver says why it failed. */
export type GrpcCode =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE';

/** A fault of the CSI driver. Without an aim it hits every test, so give at least one. */
export interface Fault {
  readonly rpc: CsiCall;
  /** Aim: namespace of the claim or snapshot that the call is about; a call for a snapshot is also about its claim. */
  readonly namespace?: string | undefined;
  /** Aim: name of the PersistentVolumeClaim, PersistentVolume, VolumeSnapshot or VolumeSnapshotContent. */
  readonly name?: string | undefined;
  /** Aim: handle of the volume or the snapshot. */
  readonly handle?: string | undefined;
  /** How the call fails. @default it does not, it only waits `delayMs` */
  readonly code?: GrpcCode | undefined;
  /** What the driver says; Kubernetes shows it as `injected: <message>`. */
  readonly message?: string | undefined;
  /** How long the call waits first, in milliseconds. @default 0 */
  readonly delayMs?: number | undefined;
  /** How many calls it hits. @default all, until it ends */
  readonly times?: number | undefined;
}

/** A fault that is in force until it ends. */
export interface InjectedFault extends AsyncDisposable {
  /** Returns how many calls it has hit so far. */
  hits(): Promise<number>;
  /** Ends it; again is fine. */
  end(): Promise<void>;
}

/** Puts a fault in force; the contract is `TestCluster.injectFault`. */
export async function injectFault(dirvolPath: string, fault: Fault): Promise<InjectedFault> {
  const path = join(dirvolPath, 'faults', randomUUID());
  await writeFile(`${path}.partial`, JSON.stringify(fault));
  // The driver reads every .json file at every call: it must never see half of one.
  await rename(`${path}.partial`, `${path}.json`);
  const end = async (): Promise<void> => {
    await rm(`${path}.json`, { force: true });
    await rm(`${path}.hits`, { force: true });
  };
  return {
    // One byte for each.
    hits: async () => (await stat(`${path}.hits`).catch(() => undefined))?.size ?? 0,
    end,
    [Symbol.asyncDispose]: end,
  };
}
