import { isLifeboatError } from '../errors.ts';
import type { KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';

/** Deletes this very object; one that is gone, or whose name another one has taken, is success. */
export async function deleteIfSame(
  cluster: Cluster,
  reference: ObjectReference,
  { metadata: { uid } }: KubernetesObject,
  { signal }: CallOptions,
): Promise<void> {
  try {
    await cluster.delete(reference, { uid, signal });
  } catch (error) {
    if (!isLifeboatError(error, 'Conflict')) {
      throw error;
    }
  }
}
