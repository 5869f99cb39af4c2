import { isLifeboatError } from '../errors.ts';
import type { GroupVersionResource, KubernetesObject } from '../model/kubernetes.ts';
import { VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import {
  contentNameFor,
  type LeftoverPair,
  namespaceOf,
  pairSnapshotObjects,
} from '../snapshot/leftover-pair.ts';

/** A pair, and how the claims stand that name its VolumeSnapshot as their data source. */
export interface SurveyedPair extends LeftoverPair {
  /** `none`: there is no such claim. `waiting`: one of them has no volume yet. `settled`: all of them have. */
  readonly claims: 'none' | 'waiting' | 'settled';
}

/** Looks at every snapshot object that carries the label of a backup. A cluster without the VolumeSnapshot API has none. */
export async function surveyCluster(
  cluster: Cluster,
  { signal }: CallOptions = {},
): Promise<readonly SurveyedPair[]> {
  const snapshots = await labelled(cluster, Resources.volumeSnapshots, signal);
  const contents = await labelled(cluster, Resources.volumeSnapshotContents, signal);
  const unlabelled = await unlabelledContents(cluster, snapshots, contents, signal);
  const pairs = pairSnapshotObjects(snapshots, [...contents, ...unlabelled]);

  const claims = new Map<string, readonly KubernetesObject[]>();
  for (const namespace of new Set(
    pairs.flatMap(({ volumeSnapshot }) => volumeSnapshot?.metadata.namespace ?? []),
  )) {
    const list = cluster.list(Resources.persistentVolumeClaims, { namespace, signal });
    claims.set(namespace, await Array.fromAsync(list));
  }
  return pairs.map((pair) => ({
    ...pair,
    claims: claimsFilledFrom(pair, claims.get(namespaceOf(pair)) ?? []),
  }));
}

async function labelled(
  cluster: Cluster,
  resource: GroupVersionResource,
  signal: AbortSignal | undefined,
): Promise<readonly KubernetesObject[]> {
  try {
    const labelSelector = VeleroLabel.backupName;
    return await Array.fromAsync(cluster.list(resource, { labelSelector, signal }));
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return [];
    }
    throw error;
  }
}

// The controller makes the contents without our label; a run that was killed right then has not put it on.
async function unlabelledContents(
  cluster: Cluster,
  snapshots: readonly KubernetesObject[],
  contents: readonly KubernetesObject[],
  signal: AbortSignal | undefined,
): Promise<readonly KubernetesObject[]> {
  const known = new Set(contents.map(({ metadata }) => metadata.name));
  const found: KubernetesObject[] = [];
  for (const name of snapshots.map(contentNameFor).filter((candidate) => !known.has(candidate))) {
    const content = await cluster.get({ ...Resources.volumeSnapshotContents, name }, { signal });
    found.push(...(content === undefined ? [] : [content]));
  }
  return found;
}

function claimsFilledFrom(
  { volumeSnapshot }: LeftoverPair,
  claims: readonly KubernetesObject[],
): SurveyedPair['claims'] {
  const filled = claims.filter(
    (claim) =>
      volumeSnapshot !== undefined &&
      stringAt(claim, ['spec', 'dataSource', 'kind']) === 'VolumeSnapshot' &&
      stringAt(claim, ['spec', 'dataSource', 'name']) === volumeSnapshot.metadata.name,
  );
  if (filled.length === 0) {
    return 'none';
  }
  const isWaiting = (claim: KubernetesObject): boolean =>
    (stringAt(claim, ['status', 'phase']) ?? 'Pending') === 'Pending';
  return filled.some(isWaiting) ? 'waiting' : 'settled';
}
