import { isLifeboatError } from '../errors.ts';
import type { GroupVersionResource, KubernetesObject } from '../model/kubernetes.ts';
import { VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { type LeftoverGroup, labelOfGroup, objectsOfGroup } from '../snapshot/leftover-group.ts';
import {
  contentNameFor,
  type LeftoverPair,
  labelOf,
  namespaceOf,
  pairSnapshotObjects,
} from '../snapshot/leftover-pair.ts';
import { surveyGroups } from './survey-groups.ts';

/** How the claims stand that name a VolumeSnapshot as their data source. */
export interface ClaimsFilled {
  /** `none`: there is no such claim. `waiting`: one of them has no volume yet. `settled`: all of them have. */
  readonly claims: 'none' | 'waiting' | 'settled';
}

/** A pair, and how the claims stand that are filled from it. */
export interface SurveyedPair extends LeftoverPair, ClaimsFilled {}

/** A group, and how the claims stand that are filled from its members, or by the restore that it stands in for a group in. */
export interface SurveyedGroup extends LeftoverGroup, ClaimsFilled {}

/** The snapshot objects of a cluster that carry the label of a backup. Those of a group are in no pair. */
export interface ClusterSurvey {
  readonly pairs: readonly SurveyedPair[];
  readonly groups: readonly SurveyedGroup[];
}

/** Looks at every snapshot object that carries the label of a backup. A cluster without the VolumeSnapshot API has none. */
export async function surveyCluster(
  cluster: Cluster,
  { signal }: CallOptions = {},
): Promise<ClusterSurvey> {
  const volumeSnapshots = await labelled(cluster, Resources.volumeSnapshots, signal);
  const volumeSnapshotContents = await labelled(cluster, Resources.volumeSnapshotContents, signal);
  const all = { volumeSnapshots, volumeSnapshotContents };
  const groups = await surveyGroups(cluster, all, { signal });
  const grouped = new Set(groups.flatMap(objectsOfGroup).map(({ metadata }) => metadata.uid));
  const isSingle = ({ metadata }: KubernetesObject): boolean => !grouped.has(metadata.uid);
  const snapshots = volumeSnapshots.filter(isSingle);
  const contents = volumeSnapshotContents.filter(isSingle);
  const unlabelled = await unlabelledContents(cluster, snapshots, contents, signal);
  const pairs = pairSnapshotObjects(snapshots, [...contents, ...unlabelled]);

  const namespaces = [
    ...pairs.map(({ volumeSnapshot }) => volumeSnapshot?.metadata.namespace),
    ...groups.map(({ identity }) => identity?.namespace),
  ];
  const claims = await claimsOf(cluster, new Set(namespaces), signal);
  const surveyed = pairs.map((pair) => ({
    ...pair,
    claims: claimsFilledFrom(pair, claims.get(namespaceOf(pair)) ?? []),
  }));
  return {
    pairs: surveyed,
    groups: groups.map((group) => ({ ...group, claims: claimsOfGroup(group, surveyed, claims) })),
  };
}

async function claimsOf(
  cluster: Cluster,
  namespaces: ReadonlySet<string | undefined>,
  signal: AbortSignal | undefined,
): Promise<ClaimsByNamespace> {
  const claims = new Map<string, readonly KubernetesObject[]>();
  for (const namespace of namespaces) {
    if (namespace !== undefined) {
      const list = cluster.list(Resources.persistentVolumeClaims, { namespace, signal });
      claims.set(namespace, await Array.fromAsync(list));
    }
  }
  return claims;
}

type ClaimsByNamespace = ReadonlyMap<string, readonly KubernetesObject[]>;

function claimsOfGroup(
  group: LeftoverGroup,
  pairs: readonly SurveyedPair[],
  claims: ClaimsByNamespace,
): SurveyedGroup['claims'] {
  const own = claims.get(group.identity?.namespace ?? '') ?? [];
  const restore = labelOfGroup(group, VeleroLabel.restoreName);
  const states = [
    ...group.members.map((member) => claimsFilledFrom(member, own)),
    ...pairs
      .filter((pair) => restore !== undefined && labelOf(pair, VeleroLabel.restoreName) === restore)
      .map((pair) => pair.claims),
  ];
  return (['waiting', 'settled'] as const).find((state) => states.includes(state)) ?? 'none';
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
