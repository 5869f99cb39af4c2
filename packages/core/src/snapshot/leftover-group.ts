import type { KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel, VeleroAnnotation, VeleroLabel } from '../model/labels.ts';
import { arrayAt, objectAt, objectsAt, stringAt } from '../model/object-path.ts';
import type { GroupIdentity, GroupObjects } from './group-objects.ts';
import type { GroupSnapshotResources } from './group-resources.ts';
import { groupHandleOf } from './group-snapshot-step.ts';
import { handleOf } from './snapshot-step.ts';

/** What is there of the objects of one group of snapshots, which go together only. */
export interface LeftoverGroup extends GroupObjects {
  readonly resources: GroupSnapshotResources;
  /** The VolumeGroupSnapshot that is there or was; absent where nothing tells, and for contents that are made for a handle. */
  readonly identity?: GroupIdentity | undefined;
  /** Contents of members whose VolumeSnapshots are gone. */
  readonly orphans: readonly KubernetesObject[];
}

/** What a group was made for, as its labels and form tell. */
export type GroupOrigin =
  /** By a run of ours, to take a group of snapshots. */
  | 'run'
  /** By a run of ours, and left on purpose (`snapshotObjects: 'keep'`). */
  | 'kept'
  /** By a restore, of ours or Velero's, to stand in for a group while its snapshots are imported. */
  | 'stub'
  /** By us, to free the group. */
  | 'release'
  /** By somebody else who puts Velero's label on it. */
  | 'other';

/** The storage snapshots of a group, as far as its objects tell. */
export interface LeftoverGroupSnapshots {
  readonly driver: string;
  /** `undefined` when the group is not cut. */
  readonly groupSnapshotHandle: string | undefined;
  readonly snapshotHandles: readonly string[];
}

/** Every object that is there of a group, the group's own first. */
export function objectsOfGroup(group: LeftoverGroup): readonly KubernetesObject[] {
  const { groupSnapshot, content, members, orphans } = group;
  return [
    groupSnapshot,
    content,
    ...members.flatMap(({ volumeSnapshot, volumeSnapshotContent }) => [
      volumeSnapshot,
      volumeSnapshotContent,
    ]),
    ...orphans,
  ].filter((object) => object !== undefined);
}

/** A label of a group, from whichever of its objects carries it. */
export function labelOfGroup(group: LeftoverGroup, name: string): string | undefined {
  return objectsOfGroup(group)
    .map(({ metadata }) => metadata.labels?.[name])
    .find((value) => value !== undefined);
}

/** What a group was made for. */
export function originOfGroup(group: LeftoverGroup): GroupOrigin {
  const { content, members } = group;
  if (content !== undefined && isMadeForHandle(content)) {
    return originOfStatic(content);
  }
  if (labelOfGroup(group, LifeboatLabel.run) === undefined) {
    return 'other';
  }
  const isKept = members.some(({ volumeSnapshot: { metadata } }) =>
    Object.hasOwn(metadata.annotations ?? {}, VeleroAnnotation.snapshotHandle),
  );
  return isKept ? 'kept' : 'run';
}

/** What the storage calls a group and its snapshots; `undefined` when no object tells the driver. */
export function snapshotsOfGroup(group: LeftoverGroup): LeftoverGroupSnapshots | undefined {
  const { content } = group;
  const contents = memberContentsOf(group);
  const driver = [content, ...contents]
    .map((object) => object && stringAt(object, ['spec', 'driver']))
    .find((name) => name !== undefined);
  if (driver === undefined) {
    return undefined;
  }
  const source = (content && objectAt(content, handlesPath)) ?? {};
  const groupSnapshotHandle =
    (content && groupHandleOf(content)) ??
    stringAt(source, ['volumeGroupSnapshotHandle']) ??
    contents.map(groupHandleOfMember).find((handle) => handle !== undefined);
  const snapshotHandles = [
    ...arrayAt(source, ['volumeSnapshotHandles']).map(String),
    ...handlesInStatus(content),
    ...contents.flatMap((each) => handleOf(each) ?? []),
  ];
  return { driver, groupSnapshotHandle, snapshotHandles: [...new Set(snapshotHandles)].sort() };
}

/** The group that the content of a member was cut with, as the storage calls it. */
export function groupHandleOfMember(content: KubernetesObject): string | undefined {
  return (
    stringAt(content, ['status', 'volumeGroupSnapshotHandle']) ??
    content.metadata.annotations?.[groupHandleAnnotation]
  );
}

/** Whether a VolumeGroupSnapshotContent was made for a group that the storage held already. */
export function isMadeForHandle(content: KubernetesObject): boolean {
  return objectAt(content, handlesPath) !== undefined;
}

/** The annotation with which the snapshot-controller marks the contents of a group's members. */
export const groupHandleAnnotation = 'groupsnapshot.storage.k8s.io/volumeGroupSnapshotHandle';

const handlesPath = ['spec', 'source', 'groupSnapshotHandles'] as const;

// What releaseGroupSnapshot and the restore name their contents.
const releaseName: RegExp = /^lifeboat-release-/;
const stubName: RegExp = /^[0-9a-f]{64}$/;

function originOfStatic({ metadata: { name, labels = {} } }: KubernetesObject): GroupOrigin {
  if (releaseName.test(name)) {
    return 'release';
  }
  return stubName.test(name) && labels[VeleroLabel.restoreName] !== undefined ? 'stub' : 'other';
}

function memberContentsOf({ members, orphans }: LeftoverGroup): readonly KubernetesObject[] {
  return [
    ...members.flatMap(({ volumeSnapshotContent }) => volumeSnapshotContent ?? []),
    ...orphans,
  ];
}

// v1beta1 of the API names the list differently.
function handlesInStatus(content: KubernetesObject | undefined): readonly string[] {
  return ['volumeSnapshotInfoList', 'volumeSnapshotHandlePairList'].flatMap((list) =>
    objectsAt(content ?? {}, ['status', list]).flatMap(
      (entry) => stringAt(entry, ['snapshotHandle']) ?? [],
    ),
  );
}
