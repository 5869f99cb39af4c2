import type { JsonObject } from '../../model/json.ts';
import type { KubernetesManifest } from '../../model/kubernetes.ts';
import { KubernetesAnnotation, VeleroAnnotation } from '../../model/labels.ts';
import { objectAt, stringAt, withoutValueAt, withValueAt } from '../../model/object-path.ts';
import { compareQuantities } from '../../model/quantity.ts';
import { Resources } from '../../model/resources.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { importedSnapshotName } from '../../snapshot/imported-snapshot.ts';
import type { ArchivedVolumes } from '../archived-volumes.ts';
import type { ClaimSource } from '../claim-source.ts';

// What binds a claim to the volume, the provisioner and the node it had, and what only a backup reads.
const droppedAnnotations: readonly string[] = [
  KubernetesAnnotation.bindCompleted,
  KubernetesAnnotation.boundByController,
  KubernetesAnnotation.storageProvisioner,
  KubernetesAnnotation.betaStorageProvisioner,
  KubernetesAnnotation.selectedNode,
  VeleroAnnotation.volumeSnapshotName,
  VeleroAnnotation.dataUploadName,
  VeleroAnnotation.mustIncludeAdditionalItems,
];

/**
 * Frees a claim from the volume it was bound to and has it filled from where its data is (velero: `velero.io/pvc`,
 * `velero.io/csi-pvc-restorer`).
 */
export function createPersistentVolumeClaimAction(volumes: ArchivedVolumes): RestoreItemAction {
  return {
    name: 'velero.io/pvc',
    appliesTo: { resources: ['persistentvolumeclaims'] },
    async execute({ item, itemFromBackup, restore }) {
      const pod = itemFromBackup.metadata.ownerReferences?.find(({ kind }) => kind === 'Pod');
      if (pod !== undefined) {
        return { skip: `it is an ephemeral volume of Pod ${pod.name}, which gets a new one` };
      }
      const source = await volumes.sourceOf(itemFromBackup);
      return { item: withSource(withoutBinding(item), source, restore.metadata.uid ?? '') };
    },
  };
}

/** A claim that takes its data from a source. */
export function withSource(
  claim: KubernetesManifest,
  source: ClaimSource,
  restoreUid: string,
): KubernetesManifest {
  switch (source.kind) {
    case 'snapshot': {
      const { volumeSnapshot, restoreSize } = source.snapshot;
      const filled = withValueAt(withoutVolume(claim), ['spec', 'dataSource'], {
        apiGroup: Resources.volumeSnapshots.group,
        kind: 'VolumeSnapshot',
        name: importedSnapshotName(restoreUid, volumeSnapshot.metadata.name),
      });
      return withLeastRequest(filled, restoreSize);
    }
    case 'new volume':
      return withoutVolume(claim);
    case 'same volume':
    case 'as it stands':
    case 'out of reach':
      return claim;
  }
}

function withoutBinding(claim: KubernetesManifest): KubernetesManifest {
  return droppedAnnotations.reduce(
    (result, annotation) => withoutValueAt(result, ['metadata', 'annotations', annotation]),
    claim,
  );
}

/** A claim that gets a new volume. A selector would keep every provisioner from making one. */
function withoutVolume(claim: KubernetesManifest): KubernetesManifest {
  const fields = ['volumeName', 'dataSource', 'dataSourceRef', 'selector'];
  return fields.reduce((result, field) => withoutValueAt(result, ['spec', field]), claim);
}

/** A volume smaller than its snapshot is not provisioned, so the request is raised to the snapshot's size. */
function withLeastRequest(
  claim: KubernetesManifest,
  restoreSize: string | undefined,
): KubernetesManifest {
  if (restoreSize === undefined) {
    return claim;
  }
  const requests: JsonObject = objectAt(claim, ['spec', 'resources', 'requests']) ?? {};
  const requested = stringAt(requests, ['storage']) ?? '0';
  const order = compareQuantities(requested, restoreSize);
  return order !== undefined && order < 0
    ? withValueAt(claim, ['spec', 'resources', 'requests', 'storage'], restoreSize)
    : claim;
}
