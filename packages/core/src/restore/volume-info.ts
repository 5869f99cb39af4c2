import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { parseQuantity } from '../model/quantity.ts';
import type { ArchivedSnapshot } from './claim-source.ts';

/** The entry of a restore's volume information file for a claim that was filled from a snapshot. */
export function restoredVolumeInfo(
  claim: KubernetesObject,
  { driver, snapshotHandle, restoreSize }: ArchivedSnapshot,
  volumeSnapshotContentName: string,
): JsonObject {
  return {
    pvcName: claim.metadata.name,
    pvcNamespace: claim.metadata.namespace,
    restoreMethod: 'CSISnapshot',
    snapshotDataMoved: false,
    csiSnapshotInfo: {
      snapshotHandle,
      size: Number(parseQuantity(restoreSize ?? '0') ?? 0n),
      driver,
      vscName: volumeSnapshotContentName,
      ReadyToUse: null,
    },
  };
}
