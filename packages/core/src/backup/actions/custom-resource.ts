import { isLifeboatError } from '../../errors.ts';
import type { Backup } from '../../model/backup.ts';
import type { Issue } from '../../model/issue.ts';
import { parseApiVersion } from '../../model/kubernetes.ts';
import { stringAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { BackupItemAction } from '../../ports/item-action.ts';

interface Definitions {
  /** `<kind>.<group>` of a custom resource → the name of its definition. */
  readonly nameOf: ReadonlyMap<string, string>;
  readonly issues: readonly Issue[];
}

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
  const known = new WeakMap<Backup, Promise<Definitions>>();
  const reported = new WeakSet<Definitions>();
  return {
    name: 'lifeboat.dev/custom-resource',
    appliesTo: {},
    async execute({ item, backup, cluster, signal }) {
      const { group } = parseApiVersion(item.apiVersion);
      if (!group.includes('.') || ownGroups.has(group)) {
        return {};
      }
      const listing = known.get(backup) ?? listDefinitions(cluster, signal);
      known.set(backup, listing);
      const definitions = await listing;
      const issues = reported.has(definitions) ? [] : definitions.issues;
      reported.add(definitions);
      const name = definitions.nameOf.get(`${item.kind}.${group}`);
      return {
        additionalItems:
          name === undefined ? [] : [{ ...Resources.customResourceDefinitions, name }],
        issues,
      };
    },
  };
}

async function listDefinitions(cluster: Cluster, signal: AbortSignal): Promise<Definitions> {
  const nameOf = new Map<string, string>();
  try {
    for await (const object of cluster.list(Resources.customResourceDefinitions, { signal })) {
      const kind = stringAt(object, ['spec', 'names', 'kind']) ?? '';
      const group = stringAt(object, ['spec', 'group']) ?? '';
      nameOf.set(`${kind}.${group}`, object.metadata.name);
    }
  } catch (error) {
    if (!isLifeboatError(error, 'Forbidden')) {
      throw error;
    }
    return { nameOf: new Map(), issues: [definitionsNotRead] };
  }
  return { nameOf, issues: [] };
}

const definitionsNotRead: Issue = {
  severity: 'warning',
  reason: 'DefinitionsNotRead',
  message:
    'CustomResourceDefinitions may not be listed, so those of the custom resources are not in the backup; grant `get` and `list` on customresourcedefinitions to have them',
};
