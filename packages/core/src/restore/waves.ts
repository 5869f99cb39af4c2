import { compareCodePoints } from '../model/json.ts';

/** Resources that are restored at the same time, after those of the waves before. */
export interface Wave {
  /** For people, plans and events: `storage`, `workloads`, or the resource if it is alone. */
  readonly name: string;
  /** Group resources, sorted by name. */
  readonly resources: readonly string[];
}

/** Waves that come first and last; everything else is between them. */
export interface WaveOrder {
  readonly first: readonly Wave[];
  readonly last: readonly Wave[];
}

const remainder = 'everything else';

// Velero's default order (velero: pkg/cmd/server/config defaultRestorePriorities), cut where an object needs those before it;
// what stands in one wave does not need one another. Priority classes need nothing, and only pods need them.
const defaultOrder: WaveOrder = {
  first: [
    wave('definitions', ['customresourcedefinitions.apiextensions.k8s.io']),
    wave('namespaces', ['namespaces']),
    wave('classes', [
      'storageclasses.storage.k8s.io',
      'volumesnapshotclasses.snapshot.storage.k8s.io',
      'volumegroupsnapshotclasses.groupsnapshot.storage.k8s.io',
      'priorityclasses.scheduling.k8s.io',
    ]),
    wave('volumes', ['persistentvolumes']),
    wave('claims', ['persistentvolumeclaims']),
    wave('roles and accounts', [
      'clusterroles.rbac.authorization.k8s.io',
      'roles.rbac.authorization.k8s.io',
      'serviceaccounts',
    ]),
    wave('role bindings', [
      'clusterrolebindings.rbac.authorization.k8s.io',
      'rolebindings.rbac.authorization.k8s.io',
    ]),
    wave('configuration', ['secrets', 'configmaps', 'limitranges']),
    // Pods come before what owns them, and these before their own owners, so that they are adopted and no new ones are made.
    wave('pods', ['pods']),
    wave('what owns pods', ['replicasets.apps', 'controllerrevisions.apps']),
    wave('clusterclasses.cluster.x-k8s.io', ['clusterclasses.cluster.x-k8s.io']),
    // Before its Service: a Service with a selector would otherwise have its own made.
    wave('endpoints', ['endpoints']),
    wave('services', ['services']),
  ],
  last: [
    wave('clusterbootstraps.run.tanzu.vmware.com', ['clusterbootstraps.run.tanzu.vmware.com']),
    wave('clusters.cluster.x-k8s.io', ['clusters.cluster.x-k8s.io']),
    wave('clusterresourcesets.addons.cluster.x-k8s.io', [
      'clusterresourcesets.addons.cluster.x-k8s.io',
    ]),
    wave('apps.kappctrl.k14s.io', ['apps.kappctrl.k14s.io']),
    wave('packageinstalls.packaging.carvel.dev', ['packageinstalls.packaging.carvel.dev']),
    // They have the API server ask programs that run in pods, which may be among what is restored.
    wave('admission and aggregated APIs', [
      'apiservices.apiregistration.k8s.io',
      'mutatingadmissionpolicies.admissionregistration.k8s.io',
      'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
      'mutatingwebhookconfigurations.admissionregistration.k8s.io',
      'validatingadmissionpolicies.admissionregistration.k8s.io',
      'validatingadmissionpolicybindings.admissionregistration.k8s.io',
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
    ]),
  ],
};

/**
 * The order that a list of resources asks for, one wave for each: those before an entry `-` come first, those after it last, as
 * in Velero's `--restore-resource-priorities`.
 */
export function waveOrderOf(priorities: readonly string[]): WaveOrder {
  const separator = priorities.indexOf('-');
  const first = separator < 0 ? priorities : priorities.slice(0, separator);
  const last = separator < 0 ? [] : priorities.slice(separator + 1);
  const single = (resource: string): Wave => wave(resource, [resource]);
  return { first: first.map(single), last: last.map(single) };
}

/**
 * Divides resources into waves: what others need first, then everything else at the same time, then what reacts to others.
 * Waves of which nothing is asked for are left out.
 */
export function wavesOf(
  groupResources: Iterable<string>,
  order: WaveOrder = defaultOrder,
): readonly Wave[] {
  const present = new Set(groupResources);
  const named = new Set([...order.first, ...order.last].flatMap(({ resources }) => resources));
  const rest = [...present].filter((resource) => !named.has(resource));
  return [...order.first, wave(remainder, rest), ...order.last]
    .map(({ name, resources }) =>
      wave(
        name,
        resources.filter((resource) => present.has(resource)),
      ),
    )
    .filter(({ resources }) => resources.length > 0);
}

/** How many of the waves come before the first of those that come last. */
export function wavesBeforeLast(waves: readonly Wave[], order: WaveOrder = defaultOrder): number {
  const last = new Set(order.last.flatMap(({ resources }) => resources));
  const first = waves.findIndex(({ resources }) => resources.some((each) => last.has(each)));
  return first < 0 ? waves.length : first;
}

function wave(name: string, resources: readonly string[]): Wave {
  return { name, resources: resources.toSorted(compareCodePoints) };
}
