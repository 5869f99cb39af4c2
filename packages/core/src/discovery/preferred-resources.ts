import {
  type ApiGroup,
  type ApiResource,
  type Discovery,
  groupResourceOf,
} from '../model/kubernetes.ts';

/**
 * Every resource in one version: the group's preferred one, or the first that serves it. Groups are in the server's order,
 * `extensions` last, as Velero has them; within a group, resources are in the server's order.
 */
export function preferredResources({ groups, resources }: Discovery): readonly ApiResource[] {
  const ofVersion = Map.groupBy(resources, ({ group, version }) => `${group}/${version}`);
  const seen = new Set<string>();
  return orderedGroups(groups).flatMap((group) =>
    versionsOf(group)
      .flatMap((version) => ofVersion.get(`${group.name}/${version}`) ?? [])
      .filter((resource) => {
        const groupResource = groupResourceOf(resource);
        const isFirst = !seen.has(groupResource);
        seen.add(groupResource);
        return isFirst;
      }),
  );
}

function orderedGroups(groups: readonly ApiGroup[]): readonly ApiGroup[] {
  return groups.toSorted(
    (left, right) => Number(left.name === 'extensions') - Number(right.name === 'extensions'),
  );
}

function versionsOf({ versions, preferredVersion }: ApiGroup): readonly string[] {
  return [preferredVersion, ...versions.filter((version) => version !== preferredVersion)];
}
