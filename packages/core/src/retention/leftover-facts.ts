import {
  type GroupVersionResource,
  groupResourceOf,
  type KubernetesObject,
} from '../model/kubernetes.ts';
import { LifeboatLabel, VeleroLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import {
  type GroupOrigin,
  labelOfGroup,
  objectsOfGroup,
  originOfGroup,
  snapshotsOfGroup,
} from '../snapshot/leftover-group.ts';
import { labelOf, originOf, type PairOrigin, snapshotHandleOf } from '../snapshot/leftover-pair.ts';
import type { Leftover, LeftoverObject } from './leftover.ts';
import { snapshotKeyOf } from './stored-snapshot.ts';
import type { SurveyedGroup, SurveyedPair } from './survey-cluster.ts';

/** What is decided about as one: the objects of a snapshot, or of a group of snapshots. */
export interface SnapshotFacts {
  readonly origin: PairOrigin | GroupOrigin;
  /** The label that names its backup. */
  readonly backupLabel: string | undefined;
  readonly runLabel: string | undefined;
  readonly isSynced: boolean;
  readonly claims: SurveyedPair['claims'];
  /** The storage snapshots, by {@link snapshotKeyOf}. */
  readonly snapshotKeys: readonly string[];
  /** What the storage calls it, as a leftover tells. */
  readonly handle: Pick<Leftover, 'driver' | 'snapshotHandle' | 'groupSnapshotHandle'>;
  readonly objects: readonly LeftoverObject[];
  /** When its objects were created, in milliseconds since the epoch. */
  readonly createdMs: readonly number[];
  /** When the deletion of its objects began. */
  readonly deletedMs: readonly number[];
}

/** The facts of a VolumeSnapshot and its content. */
export function factsOfPair(pair: SurveyedPair): SnapshotFacts {
  const snapshot = snapshotHandleOf(pair);
  const { volumeSnapshot, volumeSnapshotContent } = pair;
  const objects = [volumeSnapshot, volumeSnapshotContent].filter((object) => object !== undefined);
  return {
    origin: originOf(pair),
    backupLabel: labelOf(pair, VeleroLabel.backupName),
    runLabel: labelOf(pair, LifeboatLabel.run),
    isSynced: labelOf(pair, LifeboatLabel.syncedFrom) !== undefined,
    claims: pair.claims,
    snapshotKeys: snapshot === undefined ? [] : [snapshotKeyOf(snapshot)],
    handle: snapshot ?? {},
    ...factsOfObjects(objects, resourceOfPair),
  };
}

/** The facts of a group of snapshots. */
export function factsOfGroup(group: SurveyedGroup): SnapshotFacts {
  const { driver, groupSnapshotHandle, snapshotHandles = [] } = snapshotsOfGroup(group) ?? {};
  const { groupSnapshots, contents } = group.resources;
  const isCut = driver !== undefined && groupSnapshotHandle !== undefined;
  return {
    origin: originOfGroup(group),
    backupLabel: labelOfGroup(group, VeleroLabel.backupName),
    runLabel: labelOfGroup(group, LifeboatLabel.run),
    isSynced: labelOfGroup(group, LifeboatLabel.syncedFrom) !== undefined,
    claims: group.claims,
    snapshotKeys: snapshotHandles.map((snapshotHandle) =>
      snapshotKeyOf({ driver: driver ?? '', snapshotHandle }),
    ),
    handle: isCut ? { driver, groupSnapshotHandle } : {},
    ...factsOfObjects(objectsOfGroup(group), (object) => {
      switch (object.kind) {
        case 'VolumeGroupSnapshot':
          return groupSnapshots;
        case 'VolumeGroupSnapshotContent':
          return contents;
        default:
          return resourceOfPair(object);
      }
    }),
  };
}

function resourceOfPair({ kind }: KubernetesObject): GroupVersionResource {
  return kind === 'VolumeSnapshot' ? Resources.volumeSnapshots : Resources.volumeSnapshotContents;
}

function factsOfObjects(
  objects: readonly KubernetesObject[],
  resourceOf: (object: KubernetesObject) => GroupVersionResource,
): Pick<SnapshotFacts, 'objects' | 'createdMs' | 'deletedMs'> {
  return {
    objects: objects.map((object) => leftoverObject(resourceOf(object), object)),
    createdMs: timesOf(objects, 'creationTimestamp'),
    deletedMs: timesOf(objects, 'deletionTimestamp'),
  };
}

function timesOf(
  objects: readonly KubernetesObject[],
  field: 'creationTimestamp' | 'deletionTimestamp',
): readonly number[] {
  return objects.flatMap(({ metadata }) => {
    const time = metadata[field];
    return typeof time === 'string' ? [Date.parse(time)] : [];
  });
}

function leftoverObject(
  resource: GroupVersionResource,
  { metadata: { namespace, name, uid = '' } }: KubernetesObject,
): LeftoverObject {
  const groupResource = groupResourceOf(resource);
  return namespace === undefined
    ? { groupResource, name, uid }
    : { groupResource, namespace, name, uid };
}
