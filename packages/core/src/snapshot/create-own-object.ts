import { isLifeboatError } from '../errors.ts';
import type {
  GroupVersionResource,
  KubernetesManifest,
  KubernetesObject,
} from '../model/kubernetes.ts';
import { LifeboatLabel } from '../model/labels.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';

const maximumTries = 5;
const firstPauseMs = 100;

/**
 * Creates an object with the label of a run, under a name that no other run uses. While the API server fails it is tried
 * again for some 1.5 seconds: an object that a try has made although its answer was lost is recognised by its label.
 *
 * @throws {ClusterError} of the last try.
 */
export async function createOwnObject(
  { cluster, clock }: { readonly cluster: Cluster; readonly clock: Clock },
  resource: GroupVersionResource,
  manifest: KubernetesManifest,
  { signal }: CallOptions = {},
): Promise<KubernetesObject> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await cluster.create(resource, manifest, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (tries > 1 && isLifeboatError(error, 'AlreadyExists')) {
        const { namespace, name = '', labels = {} } = manifest.metadata;
        const found = await cluster.get({ ...resource, namespace, name }, { signal });
        const isOwn = found?.metadata.labels?.[LifeboatLabel.run] === labels[LifeboatLabel.run];
        if (found !== undefined && isOwn) {
          return found;
        }
      }
      if (tries >= maximumTries || !isPassing(error)) {
        throw error;
      }
      await clock.sleep(firstPauseMs * 2 ** (tries - 1), signal);
    }
  }
}

// A client that is told to slow down has waited and tried again by itself.
function isPassing(error: unknown): boolean {
  return isLifeboatError(error, 'Unavailable') && error.retryable;
}
