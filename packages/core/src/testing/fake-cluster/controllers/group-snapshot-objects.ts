import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { objectAt, stringAt } from '../../../model/object-path.ts';

/** Tables of the group snapshot API. */
export const GroupSnapshotTable = {
  groups: 'volumegroupsnapshots.groupsnapshot.storage.k8s.io',
  contents: 'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io',
  classes: 'volumegroupsnapshotclasses.groupsnapshot.storage.k8s.io',
} as const;

/** Finalizers of external-snapshotter on objects of the group snapshot API. */
export const GroupSnapshotFinalizer = {
  boundGroup: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-bound-protection',
  boundContent: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshotcontent-bound-protection',
} as const;

/** Annotations of external-snapshotter on contents of groups and of their members. */
export const GroupContentAnnotation = {
  beingCreated: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-created',
  beingDeleted: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-deleted',
  /** On the content of a member. */
  groupHandle: 'groupsnapshot.storage.k8s.io/volumeGroupSnapshotHandle',
} as const;

/** The key of the VolumeGroupSnapshot that a content refers to. */
export function groupKeyOf(content: KubernetesObject): string {
  const reference = objectAt(content, ['spec', 'volumeGroupSnapshotRef']) ?? {};
  return `${stringAt(reference, ['namespace']) ?? ''}/${stringAt(reference, ['name']) ?? ''}`;
}

/** The name of the content that a VolumeGroupSnapshot is or will be bound to. */
export function groupContentNameOf(group: KubernetesObject): string {
  return (
    stringAt(group, ['status', 'boundVolumeGroupSnapshotContentName']) ??
    `groupsnapcontent-${group.metadata.uid ?? ''}`
  );
}

/** The uid of the VolumeGroupSnapshot that a VolumeSnapshot was made for. */
export function groupUidOf(snapshot: KubernetesObject): string | undefined {
  return snapshot.metadata.ownerReferences?.find(({ kind }) => kind === 'VolumeGroupSnapshot')?.uid;
}
