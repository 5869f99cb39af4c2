import type { GroupVersionResource, KubernetesObject } from '../model/kubernetes.ts';

/** An object that a backup would take, for a predicate that has the last word. */
export interface BackupCandidate extends GroupVersionResource {
  readonly kind: string;
  /** Absent for a cluster-scoped object. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** The object as the API server sent it. Not to be changed. */
  readonly object: KubernetesObject;
}

/** Describes an object to a predicate. */
export function backupCandidate(
  { group, version, resource }: GroupVersionResource,
  object: KubernetesObject,
): BackupCandidate {
  const { kind, metadata } = object;
  const { namespace, name } = metadata;
  return { group, version, resource, kind, namespace, name, object };
}
