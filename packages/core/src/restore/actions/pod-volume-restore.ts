import type { KubernetesManifest } from '../../model/kubernetes.ts';
import { objectsAt, stringAt, withoutValueAt, withValueAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

const waiting: ReadonlySet<string | undefined> = new Set(['restore-wait', 'restic-wait']);

/**
 * Removes the init container by which a restore of Velero held the pod until its volumes were filled (velero:
 * `velero.io/pod-volume-restore`): left in, it would wait for ever. File system backups themselves cannot be read; their claims say so.
 */
export const podVolumeRestoreAction: RestoreItemAction = {
  name: 'velero.io/pod-volume-restore',
  appliesTo: { resources: ['pods'] },
  async execute({ item }) {
    return { item: withoutWaiting(item) };
  },
};

function withoutWaiting(pod: KubernetesManifest): KubernetesManifest {
  const containers = objectsAt(pod, ['spec', 'initContainers']);
  const kept = containers.filter((container) => !waiting.has(stringAt(container, ['name'])));
  if (kept.length === containers.length) {
    return pod;
  }
  return kept.length === 0
    ? withoutValueAt(pod, ['spec', 'initContainers'])
    : withValueAt(pod, ['spec', 'initContainers'], kept);
}
