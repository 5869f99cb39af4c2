import { type KubernetesObject, type ObjectReference, referenceTo } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { isMemberOf } from './group-manifests.ts';
import type { GroupSnapshotResources } from './group-resources.ts';

/** The two objects of one member of a group. */
export interface GroupMemberObjects {
  readonly volumeSnapshot: KubernetesObject;
  readonly volumeSnapshotContent: KubernetesObject | undefined;
}

/** The objects of one group as they stand at about one moment. */
export interface GroupObjects {
  readonly groupSnapshot: KubernetesObject | undefined;
  /** The content made for it; absent when there is none yet, or no more. */
  readonly content: KubernetesObject | undefined;
  readonly members: readonly GroupMemberObjects[];
}

/** Which group. */
export interface GroupIdentity {
  readonly resources: GroupSnapshotResources;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Reads the objects of a group. */
export async function readGroupObjects(
  cluster: Cluster,
  identity: GroupIdentity,
  options: CallOptions,
): Promise<GroupObjects> {
  const { resources, namespace, name, uid } = identity;
  const found = await cluster.get({ ...resources.groupSnapshots, namespace, name }, options);
  const groupSnapshot = found?.metadata.uid === uid ? found : undefined;
  const content = await groupContentOf(cluster, identity, groupSnapshot, options);
  const members: GroupMemberObjects[] = [];
  for await (const volumeSnapshot of cluster.list(Resources.volumeSnapshots, {
    namespace,
    ...options,
  })) {
    if (isMemberOf(volumeSnapshot, uid)) {
      members.push({
        volumeSnapshot,
        volumeSnapshotContent: await contentOf(cluster, volumeSnapshot, options),
      });
    }
  }
  return { groupSnapshot, content, members };
}

/** Names an object of a group for a request. */
export function groupObjectReference(
  { groupSnapshots, contents }: GroupSnapshotResources,
  object: KubernetesObject,
): ObjectReference {
  switch (object.kind) {
    case 'VolumeGroupSnapshot':
      return referenceTo(groupSnapshots, object);
    case 'VolumeGroupSnapshotContent':
      return referenceTo(contents, object);
    case 'VolumeSnapshot':
      return referenceTo(Resources.volumeSnapshots, object);
    default:
      return referenceTo(Resources.volumeSnapshotContents, object);
  }
}

// The snapshot-controller names it after the uid, before the status says so.
async function groupContentOf(
  cluster: Cluster,
  { resources, uid }: GroupIdentity,
  groupSnapshot: KubernetesObject | undefined,
  options: CallOptions,
): Promise<KubernetesObject | undefined> {
  const bound =
    groupSnapshot && stringAt(groupSnapshot, ['status', 'boundVolumeGroupSnapshotContentName']);
  const name = bound ?? `groupsnapcontent-${uid}`;
  const content = await cluster.get({ ...resources.contents, name }, options);
  const owner = content && stringAt(content, ['spec', 'volumeGroupSnapshotRef', 'uid']);
  return owner === uid ? content : undefined;
}

// Both are created before they name each other; whoever names the other first counts.
async function contentOf(
  cluster: Cluster,
  volumeSnapshot: KubernetesObject,
  options: CallOptions,
): Promise<KubernetesObject | undefined> {
  const name = stringAt(volumeSnapshot, ['status', 'boundVolumeSnapshotContentName']);
  const content =
    name === undefined
      ? undefined
      : await cluster.get({ ...Resources.volumeSnapshotContents, name }, options);
  const owner = content && stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']);
  return owner === undefined || owner === volumeSnapshot.metadata.uid ? content : undefined;
}
