import type { ObjectReference } from '../../model/kubernetes.ts';
import { stringAt } from '../../model/object-path.ts';
import { claimNamesOf } from '../../model/pod-claims.ts';
import { Resources } from '../../model/resources.ts';
import type { BackupItemAction } from '../../ports/item-action.ts';

/** Pulls along what a pod cannot start without: its PriorityClass and its claims (velero: `velero.io/pod`). */
export const podAction: BackupItemAction = {
  name: 'velero.io/pod',
  appliesTo: { resources: ['pods'] },
  async execute({ item }) {
    const additionalItems: ObjectReference[] = [];
    const priorityClassName = stringAt(item, ['spec', 'priorityClassName']);
    if (priorityClassName !== undefined && priorityClassName !== '') {
      additionalItems.push({ ...Resources.priorityClasses, name: priorityClassName });
    }
    for (const name of claimNamesOf(item)) {
      const { namespace } = item.metadata;
      additionalItems.push({ ...Resources.persistentVolumeClaims, namespace, name });
    }
    return { additionalItems };
  },
};
