import type { GroupVersionResource, KubernetesObject } from '../model/kubernetes.ts';
import { VeleroLabel } from '../model/labels.ts';
import { objectAt, stringAt } from '../model/object-path.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { type GroupIdentity, readGroupObjects } from '../snapshot/group-objects.ts';
import {
  type GroupSnapshotResources,
  groupSnapshotApiGroup,
  groupSnapshotResources,
} from '../snapshot/group-resources.ts';
import {
  groupHandleOfMember,
  isMadeForHandle,
  type LeftoverGroup,
  objectsOfGroup,
  snapshotsOfGroup,
} from '../snapshot/leftover-group.ts';

/** The snapshot objects of a cluster that carry the label of a backup. */
export interface LabelledSnapshotObjects {
  readonly volumeSnapshots: readonly KubernetesObject[];
  readonly volumeSnapshotContents: readonly KubernetesObject[];
}

/**
 * Looks at every group of snapshots of which an object carries the label of a backup; of such a group at every object, since
 * the snapshot-controller makes them without our labels. A cluster without the VolumeGroupSnapshot API has none.
 */
export async function surveyGroups(
  cluster: Cluster,
  labelled: LabelledSnapshotObjects,
  options: CallOptions,
): Promise<readonly LeftoverGroup[]> {
  const resources = groupSnapshotResources(await cluster.discover(options));
  if (resources === undefined) {
    return [];
  }
  const groupSnapshots = await labelledOf(cluster, resources.groupSnapshots, options);
  const contents = await labelledOf(cluster, resources.contents, options);
  const identities = new Map<string, GroupIdentity>();
  for (const identity of [
    ...groupSnapshots.flatMap((object) => identityOf(object, resources)),
    ...contents.flatMap((object) => identityInContent(object, resources)),
    ...labelled.volumeSnapshots.flatMap((object) => identityInOwners(object, resources)),
  ]) {
    identities.set(identity.uid, identity);
  }
  const groups: LeftoverGroup[] = contents
    .filter(isMadeForHandle)
    .map((content) => ({ resources, groupSnapshot: undefined, content, members: [], orphans: [] }));
  for (const identity of identities.values()) {
    const objects = await readGroupObjects(cluster, identity, options);
    groups.push({ ...objects, resources, identity, orphans: [] });
  }
  return withOrphans(groups.filter(isThere), labelled, resources);
}

// It may have gone since it was listed.
function isThere(group: LeftoverGroup): boolean {
  return objectsOfGroup(group).length > 0;
}

function labelledOf(
  cluster: Cluster,
  resource: GroupVersionResource,
  options: CallOptions,
): Promise<readonly KubernetesObject[]> {
  return Array.fromAsync(
    cluster.list(resource, { labelSelector: VeleroLabel.backupName, ...options }),
  );
}

function identityOf(
  { metadata: { namespace = '', name, uid = '' } }: KubernetesObject,
  resources: GroupSnapshotResources,
): readonly GroupIdentity[] {
  return [{ resources, namespace, name, uid }];
}

function identityInContent(
  content: KubernetesObject,
  resources: GroupSnapshotResources,
): readonly GroupIdentity[] {
  const reference = objectAt(content, ['spec', 'volumeGroupSnapshotRef']) ?? {};
  const namespace = stringAt(reference, ['namespace']);
  const name = stringAt(reference, ['name']);
  const uid = stringAt(reference, ['uid']);
  return isMadeForHandle(content) || !namespace || !name || !uid
    ? []
    : [{ resources, namespace, name, uid }];
}

function identityInOwners(
  { metadata: { namespace = '', ownerReferences = [] } }: KubernetesObject,
  resources: GroupSnapshotResources,
): readonly GroupIdentity[] {
  return ownerReferences
    .filter(
      ({ kind, apiVersion }) =>
        kind === 'VolumeGroupSnapshot' && apiVersion.startsWith(`${groupSnapshotApiGroup}/`),
    )
    .map(({ name, uid }) => ({ resources, namespace, name, uid }));
}

/** Puts the contents of members whose VolumeSnapshots are gone to their groups, by what the storage calls those. */
function withOrphans(
  groups: readonly LeftoverGroup[],
  { volumeSnapshots, volumeSnapshotContents }: LabelledSnapshotObjects,
  resources: GroupSnapshotResources,
): readonly LeftoverGroup[] {
  const owners = new Set(volumeSnapshots.map(({ metadata }) => metadata.uid));
  const known = new Set(groups.flatMap(objectsOfGroup).map(({ metadata }) => metadata.uid));
  const orphans = volumeSnapshotContents.filter(
    (content) =>
      groupKeyOfMember(content) !== undefined &&
      !known.has(content.metadata.uid) &&
      !owners.has(stringAt(content, ['spec', 'volumeSnapshotRef', 'uid'])),
  );
  const byGroup = Map.groupBy(orphans, groupKeyOfMember);
  const complete = groups.map((group) => {
    const key = group.identity && groupKeyOf(group);
    const own = byGroup.get(key) ?? [];
    byGroup.delete(key);
    return { ...group, orphans: own };
  });
  const alone = [...byGroup.values()].map((own) => ({
    ...{ resources, groupSnapshot: undefined, content: undefined, members: [] },
    orphans: own,
  }));
  return [...complete, ...alone];
}

function groupKeyOf(group: LeftoverGroup): string | undefined {
  const { driver, groupSnapshotHandle } = snapshotsOfGroup(group) ?? {};
  return groupSnapshotHandle === undefined ? undefined : `${driver}\n${groupSnapshotHandle}`;
}

/** What tells groups apart, for a content that was made for a member; `undefined` for any other content. */
function groupKeyOfMember(content: KubernetesObject): string | undefined {
  const isDynamic = stringAt(content, ['spec', 'source', 'volumeHandle']) !== undefined;
  const handle = groupHandleOfMember(content);
  return isDynamic && handle !== undefined
    ? `${stringAt(content, ['spec', 'driver'])}\n${handle}`
    : undefined;
}
