import type { KubernetesManifest } from '../../model/kubernetes.ts';
import { type ObjectPath, stringAt, withoutValueAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

const generatedLabels = ['controller-uid', 'batch.kubernetes.io/controller-uid'];

/**
 * Removes the labels by which a job found the pods of its former uid; the API server sets them anew (velero:
 * `velero.io/job`). A job that is complete is not restored: it would run again.
 */
export const jobAction: RestoreItemAction = {
  name: 'velero.io/job',
  appliesTo: { resources: ['jobs.batch'] },
  async execute({ item, itemFromBackup }) {
    return stringAt(itemFromBackup, ['status', 'completionTime']) === undefined
      ? { item: withoutGeneratedLabels(item) }
      : { skip: 'the job was complete' };
  },
};

function withoutGeneratedLabels(job: KubernetesManifest): KubernetesManifest {
  const paths = generatedLabels.flatMap((label): ObjectPath[] => [
    ['spec', 'selector', 'matchLabels', label],
    ['spec', 'template', 'metadata', 'labels', label],
  ]);
  return paths.reduce((result, path) => withoutValueAt(result, path), job);
}
