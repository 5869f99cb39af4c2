import { compareCodePoints } from '../model/json.ts';

// velero: pkg/cmd/server/config defaultRestorePriorities, with every name written out as group resource.
const first: readonly string[] = [
  'customresourcedefinitions.apiextensions.k8s.io',
  'namespaces',
  'storageclasses.storage.k8s.io',
  'volumesnapshotclasses.snapshot.storage.k8s.io',
  'volumesnapshotcontents.snapshot.storage.k8s.io',
  'volumesnapshots.snapshot.storage.k8s.io',
  'datauploads.velero.io',
  'persistentvolumes',
  'persistentvolumeclaims',
  'clusterroles.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'serviceaccounts',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'secrets',
  'configmaps',
  'limitranges',
  'priorityclasses.scheduling.k8s.io',
  'pods',
  'replicasets.apps',
  'clusterclasses.cluster.x-k8s.io',
  'endpoints',
  'services',
];

const last: readonly string[] = [
  'clusterbootstraps.run.tanzu.vmware.com',
  'clusters.cluster.x-k8s.io',
  'clusterresourcesets.addons.cluster.x-k8s.io',
  'apps.kappctrl.k14s.io',
  'packageinstalls.packaging.carvel.dev',
];

const rankOf: ReadonlyMap<string, number> = new Map([
  ...first.map((name, index) => [name, index - first.length] as const),
  ...last.map((name, index) => [name, index + 1] as const),
]);

/**
 * The order in which the resources of a backup are restored: what others need first, then everything else by name, then
 * what reacts to others. Pods come before what owns them, so that their owners adopt them and make no new ones.
 */
export function orderResources(groupResources: Iterable<string>): readonly string[] {
  return [...new Set(groupResources)].sort(
    (left, right) => rank(left) - rank(right) || compareCodePoints(left, right),
  );
}

function rank(groupResource: string): number {
  return rankOf.get(groupResource) ?? 0;
}
