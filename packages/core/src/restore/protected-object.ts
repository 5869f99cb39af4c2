import type { KubernetesObject } from '../model/kubernetes.ts';
import { KubernetesAnnotation } from '../model/labels.ts';
import { objectsAt, stringAt } from '../model/object-path.ts';

// With them go data, or they are made, renewed and removed by the cluster itself.
const protectedResources: ReadonlySet<string> = new Set([
  'customresourcedefinitions.apiextensions.k8s.io',
  'endpoints',
  'endpointslices.discovery.k8s.io',
  'events',
  'events.events.k8s.io',
  'ipaddresses.networking.k8s.io',
  'leases.coordination.k8s.io',
  'namespaces',
  'nodes',
  'persistentvolumeclaims',
  'persistentvolumes',
]);
const protectedGroups: readonly string[] = [
  '.snapshot.storage.k8s.io',
  '.groupsnapshot.storage.k8s.io',
  '.velero.io',
];
const protectedSecretTypes: ReadonlySet<string | undefined> = new Set([
  'bootstrap.kubernetes.io/token',
  'kubernetes.io/service-account-token',
]);
// Every namespace has them; the Service is that of the API server.
const protectedNames: ReadonlySet<string> = new Set([
  'configmaps/kube-root-ca.crt',
  'configmaps/openshift-service-ca.crt',
  'serviceaccounts/default',
  'services/kubernetes',
]);

/** Why a rollback does not delete an object that the backup does not have, for people; `undefined` when nothing protects it. */
export function protectionOf(groupResource: string, object: KubernetesObject): string | undefined {
  const { kind, metadata } = object;
  if (metadata.deletionTimestamp !== undefined) {
    return 'it is being deleted already';
  }
  if (
    protectedResources.has(groupResource) ||
    protectedGroups.some((group) => groupResource.endsWith(group)) ||
    (groupResource === 'secrets' && protectedSecretTypes.has(stringAt(object, ['type'])))
  ) {
    return `a ${kind} of this sort is never deleted by a rollback`;
  }
  if (
    protectedNames.has(`${groupResource}/${metadata.name}`) ||
    metadata.annotations?.[KubernetesAnnotation.mirrorPod] !== undefined
  ) {
    return 'the cluster makes it by itself';
  }
  const controller = objectsAt(object, ['metadata', 'ownerReferences']).find(
    (owner) => owner['controller'] === true,
  );
  return (
    controller &&
    `it belongs to ${stringAt(controller, ['kind']) ?? 'an owner'} ${stringAt(controller, ['name']) ?? ''}, which decides about it`
  );
}
