import type { KubernetesManifest } from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { objectAt } from '../model/object-path.ts';
import type { Restore } from '../model/restore.ts';

/** An object with the two labels that name the backup and the restore it comes from. */
export function withRestoreLabels<T extends KubernetesManifest>(object: T, restore: Restore): T {
  const { metadata } = object;
  const labels = {
    ...objectAt(metadata, ['labels']),
    [VeleroLabel.backupName]: labelValueOf(restore.spec.backupName),
    [VeleroLabel.restoreName]: labelValueOf(restore.metadata.name),
  };
  return { ...object, metadata: { ...metadata, labels } };
}
