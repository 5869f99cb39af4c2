import type { Issue } from '../../model/issue.ts';
import { groupResourceOf, type ResourceIdentifier } from '../../model/kubernetes.ts';
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
      const { containers, problems, limited } = find({ metadata });
      const object = { groupResource: pods, namespace: targetNamespace, name };
      return {
        item: withInitContainers(item, containers),
        issues: [
          ...problems.map((message) => warning('InvalidHookAnnotation', message, object)),
          ...limited.map((hook) =>
            warning(
              'TimeoutWithoutEffect',
              `the timeout of the init hook ${hook} has no effect: Kubernetes has no limit for the time of an init container`,
              object,
            ),
          ),
        ],
      };
    },
  };
}

function warning(reason: string, message: string, object: ResourceIdentifier): Issue {
  return { severity: 'warning', reason, message, object };
}
