import type { KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { snapshotKeyOf, snapshotOfContent } from './stored-snapshot.ts';
import type { SkippedSnapshot, SyncedSnapshot, SyncSkipReason } from './sync-request.ts';
import {
  isSyncedFrom,
  syncedSnapshotOf,
  type WantedSnapshot,
  withoutSource,
} from './synced-content.ts';

/** What {@link planSync} decides from. */
export interface SyncEvidence {
  /** What tells this store from others. */
  readonly source: string;
  /** The snapshots of the store's complete backups. */
  readonly wanted: readonly WantedSnapshot[];
  /** The backups of which it is not known what they refer to. */
  readonly unreadable: ReadonlySet<string>;
  /** Every VolumeSnapshotContent of the cluster. */
  readonly contents: readonly KubernetesObject[];
  /** The CSI drivers of the cluster; `undefined` when they may not be listed. */
  readonly drivers: ReadonlySet<string> | undefined;
}

/** What to do about the contents of a cluster. */
export interface SyncPlan {
  readonly create: readonly WantedSnapshot[];
  readonly remove: readonly KubernetesObject[];
  readonly kept: readonly SyncedSnapshot[];
  readonly skipped: readonly SkippedSnapshot[];
}

/** Decides which contents to create and which to remove. Only those that a sync from this store has made are ever removed. */
export function planSync(evidence: SyncEvidence): SyncPlan {
  const { source, wanted, unreadable, contents } = evidence;
  const byName = new Map(contents.map((content) => [content.metadata.name, content]));
  const present = presentSnapshots(contents);
  const create: WantedSnapshot[] = [];
  const kept: SyncedSnapshot[] = [];
  const skipped: SkippedSnapshot[] = [];
  for (const snapshot of wanted) {
    const existing = byName.get(snapshot.volumeSnapshotContentName);
    const reason = whyNotCreated(snapshot, existing, present, evidence);
    if (reason !== undefined) {
      skipped.push({ ...withoutSource(snapshot), reason });
    } else if (existing === undefined) {
      create.push(snapshot);
    } else {
      kept.push(withoutSource(snapshot));
    }
  }
  const names = new Set(wanted.map(({ volumeSnapshotContentName }) => volumeSnapshotContentName));
  const unwanted = contents.filter(
    (content) => isSyncedFrom(content, source) && !names.has(content.metadata.name),
  );
  const isUnknown = (content: KubernetesObject): boolean =>
    unreadable.has(syncedSnapshotOf(content).backupName);
  const unreadableReason: SyncSkipReason = 'BackupUnreadable';
  return {
    create,
    remove: unwanted.filter((content) => !isUnknown(content)),
    kept,
    skipped: [
      ...skipped,
      ...unwanted
        .filter(isUnknown)
        .map((content) => ({ ...syncedSnapshotOf(content), reason: unreadableReason })),
    ],
  };
}

/** The snapshots that the cluster knows otherwise: for each whether it is being freed. */
function presentSnapshots(contents: readonly KubernetesObject[]): ReadonlyMap<string, boolean> {
  const present = new Map<string, boolean>();
  for (const content of contents) {
    const snapshot = snapshotOfContent(content);
    const labels = content.metadata.labels ?? {};
    // Those of a restore go with it, and those of a sync stand beside each other, one for each backup.
    const isPassing =
      Object.hasOwn(labels, VeleroLabel.restoreName) ||
      Object.hasOwn(labels, LifeboatLabel.syncedFrom);
    if (snapshot !== undefined && !isPassing) {
      const key = snapshotKeyOf(snapshot);
      present.set(key, present.get(key) === true || isBeingReleased(content));
    }
  }
  return present;
}

function isBeingReleased(content: KubernetesObject): boolean {
  return (
    content.metadata.deletionTimestamp !== undefined &&
    stringAt(content, ['spec', 'deletionPolicy']) === 'Delete'
  );
}

function whyNotCreated(
  wanted: WantedSnapshot,
  existing: KubernetesObject | undefined,
  present: ReadonlyMap<string, boolean>,
  { source, drivers }: SyncEvidence,
): SyncSkipReason | undefined {
  if (existing !== undefined) {
    return isSyncedFrom(existing, source) && existing.metadata.deletionTimestamp === undefined
      ? undefined
      : 'NameTaken';
  }
  if (drivers?.has(wanted.driver) === false) {
    return 'DriverMissing';
  }
  const isReleased = present.get(snapshotKeyOf(wanted));
  if (isReleased === undefined) {
    return undefined;
  }
  return isReleased ? 'BeingReleased' : 'AlreadyPresent';
}
