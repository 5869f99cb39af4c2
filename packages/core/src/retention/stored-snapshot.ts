import { isJsonObject, type JsonArray, type JsonObject, type JsonValue } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { arrayAt, stringAt, valueAt } from '../model/object-path.ts';
import { snapshotApiVersion } from '../snapshot/manifests.ts';

/** What names a storage snapshot. */
export interface SnapshotIdentity {
  readonly driver: string;
  readonly snapshotHandle: string;
}

/** A storage snapshot that a backup refers to. */
export interface StoredSnapshot extends SnapshotIdentity {
  /** Its VolumeSnapshotContent as the backup holds it, if it does. */
  readonly volumeSnapshotContent?: KubernetesObject | undefined;
  /** The group it was cut with, if it was. */
  readonly group?: StoredGroup | undefined;
}

/** A group of storage snapshots, which can be freed only as a whole. */
export interface StoredGroup {
  readonly snapshotHandle: string;
  /** The handles of its snapshots, as far as they are told. */
  readonly memberHandles: readonly string[];
}

/** What tells storage snapshots apart: drivers may use the same handles. */
export function snapshotKeyOf({ driver, snapshotHandle }: SnapshotIdentity): string {
  return `${driver}\n${snapshotHandle}`;
}

/**
 * The snapshot of an entry of a backup's volume information; `undefined` for a volume without one, and for one whose data was
 * moved into a repository: its snapshot is gone already.
 */
export function snapshotOfVolumeInfo(volume: JsonObject): StoredSnapshot | undefined {
  const found = identified(
    stringAt(volume, ['csiSnapshotInfo', 'driver']),
    stringAt(volume, ['csiSnapshotInfo', 'snapshotHandle']),
  );
  return volume['snapshotDataMoved'] === true
    ? undefined
    : withGroup(
        found,
        stringAt(volume, ['csiSnapshotInfo', 'volumeGroupSnapshotHandle']),
        arrayAt(volume, ['csiSnapshotInfo', 'volumeGroupSnapshotMembers']),
      );
}

/**
 * The snapshot of a VolumeSnapshotContent that a backup holds, in any version of its API, with or without `kind`, as the files
 * of old versions of Velero list them; `undefined` when the content has no handle.
 */
export function snapshotOfContent(content: JsonValue): StoredSnapshot | undefined {
  const object = asContent(content);
  const found =
    object &&
    identified(
      stringAt(object, ['spec', 'driver']),
      stringAt(object, ['status', 'snapshotHandle']) ??
        stringAt(object, ['spec', 'source', 'snapshotHandle']),
    );
  return (
    found && {
      ...withGroup(found, stringAt(object, ['status', 'volumeGroupSnapshotHandle']), []),
      ...found,
      volumeSnapshotContent: object,
    }
  );
}

/** Whether a snapshot was taken for a backup: an archive may also hold contents that the backup only met. */
export function isTakenFor(
  { volumeSnapshotContent: content }: StoredSnapshot,
  backupName: string,
): boolean {
  return content?.metadata.labels?.[VeleroLabel.backupName] === labelValueOf(backupName);
}

/** Each snapshot once; a content that only one source has is kept. */
export function distinctSnapshots(snapshots: Iterable<StoredSnapshot>): readonly StoredSnapshot[] {
  const byKey = new Map<string, StoredSnapshot>();
  for (const snapshot of snapshots) {
    const key = snapshotKeyOf(snapshot);
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? snapshot : merged(known, snapshot));
  }
  return [...byKey.values()];
}

function merged(known: StoredSnapshot, other: StoredSnapshot): StoredSnapshot {
  const volumeSnapshotContent = known.volumeSnapshotContent ?? other.volumeSnapshotContent;
  // Only the volume information tells all members.
  const [group] = [known.group, other.group]
    .filter((each) => each !== undefined)
    .sort((left, right) => right.memberHandles.length - left.memberHandles.length);
  return {
    ...known,
    ...(volumeSnapshotContent === undefined ? {} : { volumeSnapshotContent }),
    ...(group === undefined ? {} : { group }),
  };
}

function withGroup(
  snapshot: StoredSnapshot | undefined,
  snapshotHandle: string | undefined,
  memberHandles: JsonArray,
): StoredSnapshot | undefined {
  return snapshot === undefined || snapshotHandle === undefined || snapshotHandle === ''
    ? snapshot
    : {
        ...snapshot,
        group: {
          snapshotHandle,
          memberHandles: memberHandles.filter((handle) => typeof handle === 'string'),
        },
      };
}

function identified(
  driver: string | undefined,
  snapshotHandle: string | undefined,
): StoredSnapshot | undefined {
  return driver === undefined ||
    driver === '' ||
    snapshotHandle === undefined ||
    snapshotHandle === ''
    ? undefined
    : { driver, snapshotHandle };
}

function asContent(value: JsonValue): KubernetesObject | undefined {
  if (!isJsonObject(value)) {
    return undefined;
  }
  const object = { apiVersion: snapshotApiVersion, kind: 'VolumeSnapshotContent', ...value };
  return isContent(object) ? object : undefined;
}

function isContent(object: JsonObject): object is KubernetesObject {
  return (
    stringAt(object, ['kind']) === 'VolumeSnapshotContent' &&
    stringAt(object, ['metadata', 'name']) !== undefined &&
    isStringMap(valueAt(object, ['metadata', 'labels'])) &&
    isStringMap(valueAt(object, ['metadata', 'annotations']))
  );
}

function isStringMap(value: JsonValue | undefined): boolean {
  return (
    value === undefined ||
    (isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string'))
  );
}
