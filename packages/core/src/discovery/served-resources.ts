import {
  type ApiResource,
  type Discovery,
  type DiscoveryFailure,
  groupResourceOf,
} from '../model/kubernetes.ts';
import { preferredResources } from './preferred-resources.ts';

/** What a backup can list. */
export interface ServedResources {
  /** In the order in which a backup lists them. */
  readonly resources: readonly ApiResource[];
  /** What the server could not say; see `discoveryIssues`. */
  readonly failures: readonly DiscoveryFailure[];
}

const neededVerbs: readonly string[] = ['list', 'create', 'get', 'delete'];

/** Resources that two groups serve, which are the same objects. */
const cohabitants: ReadonlyMap<string, string> = new Map([
  ['deployments.extensions', 'deployments'],
  ['deployments.apps', 'deployments'],
  ['daemonsets.extensions', 'daemonsets'],
  ['daemonsets.apps', 'daemonsets'],
  ['replicasets.extensions', 'replicasets'],
  ['replicasets.apps', 'replicasets'],
  ['networkpolicies.extensions', 'networkpolicies'],
  ['networkpolicies.networking.k8s.io', 'networkpolicies'],
  ['events', 'events'],
  ['events.events.k8s.io', 'events'],
]);

/** Velero lists these first of the core group, so that a pod's claims and volumes follow it closely. */
const coreOrder: readonly string[] = ['pods', 'persistentvolumeclaims', 'persistentvolumes'];

/**
 * The resources that can be backed up, each in one version and from one group: those that can be listed, read, created and
 * deleted. Of two groups that serve the same objects the first wins.
 *
 * @param includes Which resources the backup selects: of the same objects the first group that it selects wins, so that a
 * backup which names only the other one is not empty.
 */
export function servedResources(
  discovery: Discovery,
  includes: (resource: ApiResource) => boolean = () => true,
): ServedResources {
  const seen = new Set<string>();
  const resources = inBackupOrder(preferredResources(discovery)).filter((resource) => {
    if (!canBeBackedUp(resource) || !includes(resource)) {
      return false;
    }
    const cohabitant = cohabitants.get(groupResourceOf(resource));
    if (cohabitant === undefined) {
      return true;
    }
    const isFirst = !seen.has(cohabitant);
    seen.add(cohabitant);
    return isFirst;
  });
  return { resources, failures: discovery.failures };
}

function canBeBackedUp({ resource, verbs }: ApiResource): boolean {
  return !resource.includes('/') && neededVerbs.every((verb) => verbs.includes(verb));
}

// Groups stay where they are; the sort is stable and only moves resources within the core group.
function inBackupOrder(resources: readonly ApiResource[]): readonly ApiResource[] {
  const core = resources.filter(({ group }) => group === '');
  const sorted = core.toSorted((left, right) => coreRank(left) - coreRank(right)).values();
  return resources.map((resource) =>
    resource.group === '' ? (sorted.next().value ?? resource) : resource,
  );
}

function coreRank({ resource }: ApiResource): number {
  const index = coreOrder.indexOf(resource);
  return index < 0 ? coreOrder.length : index;
}
