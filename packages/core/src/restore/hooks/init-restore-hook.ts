import { groupResourceOf } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import type { RestoreSpec } from '../../model/restore.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { createInitHookFinder, withInitContainers } from './init-hook.ts';

const pods = groupResourceOf(Resources.pods);

/** Puts the init containers that hooks ask for before those of a pod (velero: `velero.io/init-restore-hook`). */
export function createInitRestoreHookAction(spec: RestoreSpec): RestoreItemAction {
  const find = createInitHookFinder(spec);
  return {
    name: 'velero.io/init-restore-hook',
    appliesTo: { resources: [pods] },
    async execute({ item, itemFromBackup, targetNamespace = '' }) {
      const { name = itemFromBackup.metadata.name } = item.metadata;
      const metadata = { ...item.metadata, name, namespace: targetNamespace };
      const { containers, problems } = find({ metadata });
      return {
        item: withInitContainers(item, containers),
        issues: problems.map((message) => ({
          severity: 'warning' as const,
          reason: 'InvalidHookAnnotation',
          message,
          object: { groupResource: pods, namespace: targetNamespace, name },
        })),
      };
    },
  };
}
