import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { VeleroLabel } from '../model/labels.ts';
import { objectAt, stringAt } from '../model/object-path.ts';

/** What a backup knows of the volume of a claim that a new volume should have too. */
export interface OriginalVolume {
  readonly labels: StringMap;
  readonly reclaimPolicy: string | undefined;
}

// Where a volume is, not what it is: the scheduler goes by them.
const topologyPrefixes: readonly string[] = [
  'topology.kubernetes.io/',
  'failure-domain.beta.kubernetes.io/',
];
// Of an earlier restore, from which the original came.
const ofRestores: readonly string[] = [VeleroLabel.backupName, VeleroLabel.restoreName];

/**
 * The patch that gives the volume of a restored claim the labels and the reclaim policy that the original had; `undefined` when it
 * has them. Labels that only the new volume has are removed (velero: 1.14, finalizing), but those that say where it is stay.
 */
export function volumePatch(
  volume: KubernetesObject,
  { labels, reclaimPolicy }: OriginalVolume,
): JsonObject | undefined {
  const present = volume.metadata.labels ?? {};
  const wanted = Object.entries(labels).filter(
    ([key]) => !isTopology(key) && !ofRestores.includes(key),
  );
  const changed = wanted.filter(
    ([key, value]) => !Object.hasOwn(present, key) || present[key] !== value,
  );
  const kept = new Set(wanted.map(([key]) => key));
  const removed = Object.keys(present)
    .filter((key) => !kept.has(key) && !isTopology(key))
    .map((key) => [key, null] as const);
  const labelPatch = Object.fromEntries([...changed, ...removed]);
  const policy = stringAt(volume, ['spec', 'persistentVolumeReclaimPolicy']);
  const patch = {
    ...(changed.length + removed.length === 0 ? {} : { metadata: { labels: labelPatch } }),
    ...(reclaimPolicy === undefined || reclaimPolicy === policy
      ? {}
      : { spec: { persistentVolumeReclaimPolicy: reclaimPolicy } }),
  };
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** What is known of a volume from its backed-up object. */
export function originalOf(volume: KubernetesObject): OriginalVolume {
  return {
    labels: volume.metadata.labels ?? {},
    reclaimPolicy: policyOf(stringAt(volume, ['spec', 'persistentVolumeReclaimPolicy'])),
  };
}

/** What is known of a volume from an entry of a backup's volume information; `undefined` when the entry does not tell. */
export function originalOfRecord(entry: JsonObject): OriginalVolume | undefined {
  const info = objectAt(entry, ['pvInfo']);
  if (info === undefined) {
    return undefined;
  }
  const labels = Object.entries(objectAt(info, ['labels']) ?? {}).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  );
  return {
    labels: Object.fromEntries(labels),
    reclaimPolicy: policyOf(stringAt(info, ['reclaimPolicy'])),
  };
}

// Recycle is of no use to volumes of CSI drivers, and the API server refuses what it does not know.
function policyOf(text: string | undefined): string | undefined {
  return text === 'Delete' || text === 'Retain' ? text : undefined;
}

function isTopology(key: string): boolean {
  return topologyPrefixes.some((prefix) => key.startsWith(prefix));
}
