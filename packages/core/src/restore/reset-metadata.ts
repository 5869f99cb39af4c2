import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';

/**
 * What remains of an object when status and the metadata that belongs to one cluster are taken away: the form in which it is
 * created, and in which two objects are compared. Name, namespace, labels, annotations and finalizers stay.
 */
export function resetMetadata(object: KubernetesObject): KubernetesManifest {
  const { status: _status, ...rest } = object;
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: keptMetadata(object.metadata),
  };
}

// What the API server sets itself, and what points at objects of the cluster the backup was made of, goes. managedFields would
// claim that somebody else wrote the object; writing them back later, as Velero does, delays the binding of claims.
function keptMetadata(metadata: JsonObject): JsonObject {
  const {
    generateName: _generateName,
    selfLink: _selfLink,
    uid: _uid,
    resourceVersion: _resourceVersion,
    generation: _generation,
    creationTimestamp: _creationTimestamp,
    deletionTimestamp: _deletionTimestamp,
    deletionGracePeriodSeconds: _deletionGracePeriodSeconds,
    ownerReferences: _ownerReferences,
    managedFields: _managedFields,
    ...kept
  } = metadata;
  return kept;
}
