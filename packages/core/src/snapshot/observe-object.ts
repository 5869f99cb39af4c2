import type { GroupVersionResource } from '../model/kubernetes.ts';
import { type KubernetesObject, type ObjectReference, referenceTo } from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';

/**
 * Yields an object as it stands, then after every change, until the loop is left; `undefined` while there is none. Aborted:
 * rejects with `signal.reason`.
 */
export async function* observeObject(
  cluster: Cluster,
  { namespace, name, ...resource }: ObjectReference,
  { signal }: CallOptions,
): AsyncGenerator<KubernetesObject | undefined, void> {
  const fieldSelector = `metadata.name=${name}`;
  let present = false;
  for await (const event of cluster.watch(resource, { namespace, fieldSelector, signal })) {
    switch (event.type) {
      case 'added':
      case 'modified':
        present = true;
        yield event.object;
        break;
      case 'deleted':
        present = false;
        yield undefined;
        break;
      case 'restarted':
        present = false;
        break;
      case 'synced':
        if (!present) {
          yield undefined;
        }
        break;
      default:
        event satisfies never;
    }
  }
  signal?.throwIfAborted();
}

/** Resolves when an object is gone, or another one has taken its name. Not bounded in time: give it a deadline. */
export async function untilGone(
  cluster: Cluster,
  resource: GroupVersionResource,
  object: KubernetesObject,
  options: CallOptions,
): Promise<void> {
  for await (const found of observeObject(cluster, referenceTo(resource, object), options)) {
    if (found?.metadata.uid !== object.metadata.uid) {
      return;
    }
  }
}
