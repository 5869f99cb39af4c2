/** The versions in which a backup holds an object. */
export interface ArchivedVersions {
  /** The one that the cluster preferred that was backed up. */
  readonly preferred: string;
  /** All of them. */
  readonly versions: readonly string[];
}

/** The versions in which a target serves a resource. */
export interface ServedVersions {
  readonly preferred: string;
  /** All of them. */
  readonly versions: readonly string[];
}

/**
 * Chooses the version in which an object is restored (velero: pkg/restore/prioritize_group_version): the first that was asked for and
 * that both have; else the target's preferred one; else that of the backup; else the most stable one that both have. Where they have
 * none in common, or the target does not serve the resource, the one that the backup prefers.
 */
export function chooseVersion(
  archived: ArchivedVersions,
  served: ServedVersions | undefined,
  priorities: readonly string[] = [],
): string {
  const isCommon = (version: string): boolean =>
    archived.versions.includes(version) && served?.versions.includes(version) === true;
  const candidates = [
    ...priorities,
    ...(served === undefined ? [] : [served.preferred]),
    archived.preferred,
    ...(served?.versions ?? []).toSorted(compareVersions),
  ];
  return candidates.find(isCommon) ?? archived.preferred;
}

const kubernetesVersion = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$/;
const stages: readonly string[] = ['alpha', 'beta', ''];

/** Orders versions as Kubernetes does, the most stable first: v2, v1, v2beta1, v1alpha1, then all others by name. */
export function compareVersions(left: string, right: string): number {
  const [leftRank, rightRank] = [rankOf(left), rankOf(right)];
  if (leftRank === undefined || rightRank === undefined) {
    const byRank = Number(leftRank === undefined) - Number(rightRank === undefined);
    return byRank === 0 ? Number(left > right) - Number(left < right) : byRank;
  }
  for (const [index, value] of leftRank.entries()) {
    const difference = (rightRank[index] ?? 0) - value;
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}

function rankOf(version: string): readonly number[] | undefined {
  const match = kubernetesVersion.exec(version);
  if (match === null) {
    return undefined;
  }
  const [, major = '0', stage = '', minor = '0'] = match;
  return [stages.indexOf(stage), Number(major), Number(minor)];
}
