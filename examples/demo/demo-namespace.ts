import { type Cluster, type KubernetesObject, Resources } from '@lifeboat/core';

const ownerLabel = 'lifeboat.dev/demo';
const deletionTimeoutMs = 180_000;

/**
 * Sees to it that the name of the demo's namespace is free. A namespace that an earlier demo made and kept is deleted.
 *
 * @throws {Error} when there is a namespace of that name that no demo made.
 */
export async function requireFreeNamespace(
  cluster: Cluster,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const existing = await cluster.get({ ...Resources.namespaces, name }, { signal });
  if (existing !== undefined && !isOfDemo(existing)) {
    throw new Error(
      `namespace ${name} exists and was not made by this demo, which deletes the namespace it works in: choose another name with --namespace`,
    );
  }
  await deleteDemoNamespace(cluster, name, signal);
}

/** Creates the namespace, labelled as the demo's. */
export async function createDemoNamespace(
  cluster: Cluster,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const metadata = { name, labels: { [ownerLabel]: 'true' } };
  const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata };
  await cluster.create(Resources.namespaces, manifest, { signal });
}

/**
 * Deletes the namespace with everything in it and waits until it is gone. A missing one is success; one that no demo made is
 * left alone.
 */
export async function deleteDemoNamespace(
  cluster: Cluster,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const reference = { ...Resources.namespaces, name };
  const namespace = await cluster.get(reference, { signal });
  if (namespace === undefined || !isOfDemo(namespace)) {
    return;
  }
  await cluster.delete(reference, { signal, uid: namespace.metadata.uid });
  const timeout = AbortSignal.timeout(deletionTimeoutMs);
  try {
    await untilGone(cluster, name, AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (!timeout.aborted || signal.aborted) {
      throw error;
    }
    throw new Error(
      `namespace ${name} is still there ${deletionTimeoutMs / 1000} s after its deletion: see which finalizers hold its objects back`,
      { cause: error },
    );
  }
}

async function untilGone(cluster: Cluster, name: string, signal: AbortSignal): Promise<void> {
  let exists = false;
  const fieldSelector = `metadata.name=${name}`;
  for await (const event of cluster.watch(Resources.namespaces, { fieldSelector, signal })) {
    switch (event.type) {
      case 'added':
      case 'modified':
        exists = true;
        break;
      case 'restarted':
        exists = false;
        break;
      case 'synced':
        if (!exists) {
          return;
        }
        break;
      case 'deleted':
        return;
      default:
        event satisfies never;
    }
  }
}

function isOfDemo({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.[ownerLabel] === 'true';
}
