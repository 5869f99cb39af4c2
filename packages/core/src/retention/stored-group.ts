import type { KubernetesObject } from '../model/kubernetes.ts';
import { type StoredSnapshot, snapshotKeyOf } from './stored-snapshot.ts';

/** What is freed in one call: one snapshot, or all of a group, which the storage lets go only together. */
export interface ReleaseUnit {
  readonly snapshots: readonly [StoredSnapshot, ...StoredSnapshot[]];
  readonly group?: ReleaseGroup | undefined;
}

/** A group to free. */
export interface ReleaseGroup {
  readonly groupSnapshotHandle: string;
  /** Of all its snapshots, those included that no backup holds. */
  readonly snapshotHandles: readonly string[];
  /** The content of one of its snapshots, if a backup holds one. */
  readonly volumeSnapshotContent?: KubernetesObject | undefined;
}

/** Puts snapshots together that have to be freed together, in the order of the first of each. */
export function releaseUnits(snapshots: readonly StoredSnapshot[]): readonly ReleaseUnit[] {
  return [...Map.groupBy(snapshots, unitKeyOf).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [unitOf([first, ...others])],
  );
}

/** Which backups hold snapshots too, when all of a group count as held by whoever holds one of them. */
export function holdersWithGroups(
  snapshots: readonly StoredSnapshot[],
  holders: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const units = releaseUnits(snapshots).map(({ snapshots: together }) => {
    const keys = together.map(snapshotKeyOf);
    const names = keys.flatMap((key) => holders.get(key) ?? []);
    return { keys, names: [...new Set(names)].sort() };
  });
  return new Map(
    units
      .filter(({ names }) => names.length > 0)
      .flatMap(({ keys, names }) => keys.map((key) => [key, names] as const)),
  );
}

function unitOf(snapshots: ReleaseUnit['snapshots']): ReleaseUnit {
  const { group } = snapshots[0];
  if (group === undefined) {
    return { snapshots };
  }
  const handles = snapshots.flatMap((snapshot) => [
    snapshot.snapshotHandle,
    ...(snapshot.group?.memberHandles ?? []),
  ]);
  const snapshotHandles = [...new Set(handles)].sort();
  const [volumeSnapshotContent] = snapshots.flatMap((each) => each.volumeSnapshotContent ?? []);
  return {
    snapshots,
    group: {
      groupSnapshotHandle: group.snapshotHandle,
      snapshotHandles,
      ...(volumeSnapshotContent === undefined ? {} : { volumeSnapshotContent }),
    },
  };
}

function unitKeyOf(snapshot: StoredSnapshot): string {
  const { driver, group } = snapshot;
  return group === undefined
    ? `snapshot ${snapshotKeyOf(snapshot)}`
    : `group ${driver}\n${group.snapshotHandle}`;
}
