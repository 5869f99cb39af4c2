import { parseApiVersion } from '../../model/kubernetes.ts';
import { stringAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { BackupItemAction } from '../../ports/item-action.ts';
import { listOnce } from './list-once.ts';

// The groups of Kubernetes itself: without a dot, or in this list. Nothing is asked for them.
const ownGroups: ReadonlySet<string> = new Set(
  [
    ...['admissionregistration', 'apiextensions', 'apiregistration', 'authentication'],
    ...['authorization', 'certificates', 'coordination', 'discovery', 'events'],
    ...['flowcontrol.apiserver', 'internal.apiserver', 'networking', 'node', 'rbac.authorization'],
    ...['resource', 'scheduling', 'storage', 'storagemigration'],
  ].map((name) => `${name}.k8s.io`),
);

/**
 * Pulls along the CustomResourceDefinition of a custom resource, without which a cluster cannot hold it (velero: what it does
 * once all items are backed up).
 *
 * The definitions are listed once for each backup that meets a group which is not of Kubernetes. A user who may not list them
 * gets one warning instead.
 */
export function createCustomResourceAction(): BackupItemAction {
  const definitions = listOnce({
    list: listDefinitions,
    withoutRights: new Map<string, string>(),
    warning: {
      severity: 'warning',
      reason: 'DefinitionsNotRead',
      message:
        'CustomResourceDefinitions may not be listed, so those of the custom resources are not in the backup; grant `get` and `list` on customresourcedefinitions to have them',
    },
  });
  return {
    name: 'lifeboat.dev/custom-resource',
    appliesTo: {},
    async execute(input) {
      const { apiVersion, kind } = input.item;
      const { group } = parseApiVersion(apiVersion);
      if (!group.includes('.') || ownGroups.has(group)) {
        return {};
      }
      const { listed, issues } = await definitions(input);
      const name = listed.get(`${kind}.${group}`);
      return {
        additionalItems:
          name === undefined ? [] : [{ ...Resources.customResourceDefinitions, name }],
        issues,
      };
    },
  };
}

/** `<kind>.<group>` of a custom resource → the name of its definition. */
async function listDefinitions(
  cluster: Cluster,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const nameOf = new Map<string, string>();
  for await (const object of cluster.list(Resources.customResourceDefinitions, { signal })) {
    const kind = stringAt(object, ['spec', 'names', 'kind']) ?? '';
    const group = stringAt(object, ['spec', 'group']) ?? '';
    nameOf.set(`${kind}.${group}`, object.metadata.name);
  }
  return nameOf;
}
