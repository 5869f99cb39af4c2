import { readonlyCluster } from '../internal/readonly-cluster.ts';
import {
  type GroupVersionResource,
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';

// What later decisions ask the target for. They are small, and few but for the accounts.
const keptResources: ReadonlySet<string> = new Set([
  'storageclasses.storage.k8s.io',
  'volumesnapshotclasses.snapshot.storage.k8s.io',
  'priorityclasses.scheduling.k8s.io',
  'persistentvolumes',
  'serviceaccounts',
]);

/** A cluster that is only read, and in which what a plan would create counts as there, as far as later decisions ask for it. */
export interface PlannedCluster extends Cluster {
  /** Takes note of an object that would be created. */
  expect(reference: ObjectReference, manifest: KubernetesManifest): void;
}

/** Views a cluster as it would be after the steps of a plan. Its lists have what would be created at their end. */
export function plannedCluster(cluster: Cluster): PlannedCluster {
  const reading = readonlyCluster(cluster);
  const planned = new Map<string, Map<string, KubernetesObject>>();
  return {
    ...reading,
    expect: (reference, manifest) => {
      const groupResource = groupResourceOf(reference);
      if (keptResources.has(groupResource)) {
        const kept = planned.get(groupResource) ?? new Map<string, KubernetesObject>();
        const metadata = { ...manifest.metadata, name: reference.name };
        kept.set(keyOf(reference), { ...manifest, metadata });
        planned.set(groupResource, kept);
      }
    },
    get: async (reference, options) =>
      (await reading.get(reference, options)) ??
      planned.get(groupResourceOf(reference))?.get(keyOf(reference)),
    list: (resource, options) =>
      listed(reading.list(resource, options), plannedIn(planned, resource, options?.namespace)),
  };
}

async function* listed(
  live: AsyncIterable<KubernetesObject>,
  planned: readonly KubernetesObject[],
): AsyncGenerator<KubernetesObject> {
  const keys = new Set<string>();
  for await (const object of live) {
    if (planned.length > 0) {
      keys.add(keyOf(object.metadata));
    }
    yield object;
  }
  yield* planned.filter(({ metadata }) => !keys.has(keyOf(metadata)));
}

function plannedIn(
  planned: ReadonlyMap<string, ReadonlyMap<string, KubernetesObject>>,
  resource: GroupVersionResource,
  namespace: string | undefined,
): readonly KubernetesObject[] {
  return [...(planned.get(groupResourceOf(resource))?.values() ?? [])].filter(
    ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
  );
}

function keyOf({
  namespace,
  name,
}: {
  readonly namespace?: string | undefined;
  readonly name: string;
}): string {
  return `${namespace ?? ''}/${name}`;
}
