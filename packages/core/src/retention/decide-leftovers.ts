import { groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel, VeleroLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import { labelOf, originOf, snapshotHandleOf } from '../snapshot/leftover-pair.ts';
import { describeLeftover } from './describe-leftover.ts';
import type { Leftover, LeftoverAction, LeftoverCause, LeftoverObject } from './leftover.ts';
import { snapshotKeyOf } from './stored-snapshot.ts';
import type { SurveyedPair } from './survey-cluster.ts';
import type { BackupDirectory, StoreSurvey } from './survey-store.ts';

/** What {@link decideLeftovers} decides from. */
export interface LeftoverEvidence {
  readonly pairs: readonly SurveyedPair[];
  readonly directories: StoreSurvey;
  readonly nowMs: number;
}

/** A leftover, with the pair of objects it is about; without one it is about files. */
export interface FoundLeftover {
  readonly leftover: Leftover;
  readonly pair?: SurveyedPair | undefined;
}

/** What counts as left, and what of it may be removed. */
export interface LeftoverRules {
  readonly minimumAgeMs: number;
  readonly unknownBackups: 'report' | 'remove';
  readonly retainedByVelero: 'report' | 'remove';
}

/**
 * Decides what is left over, why, and what removing it does. Pure: nothing is left over that a run under way, a pending
 * claim, or a complete backup may need, as far as the evidence and the age tell. A minimum age of 0 means all ages, also those
 * below 0 that differing clocks produce.
 */
export function decideLeftovers(
  evidence: LeftoverEvidence,
  rules: LeftoverRules,
): readonly FoundLeftover[] {
  const needed = neededSnapshots(evidence.directories);
  const { minimumAgeMs } = rules;
  const isOld = ({ leftover }: FoundLeftover): boolean =>
    minimumAgeMs === 0 || evidence.nowMs - Date.parse(leftover.since) >= minimumAgeMs;
  return [
    ...evidence.pairs.flatMap((pair) => ofPair(pair, evidence.directories, needed, rules)),
    ...[...evidence.directories.values()].flatMap((directory) => ofDirectory(directory, rules)),
  ].filter(isOld);
}

/** The snapshots that some complete backup refers to. */
function neededSnapshots(directories: StoreSurvey): ReadonlySet<string> {
  return new Set([...directories.values()].flatMap(({ snapshots }) => [...(snapshots ?? [])]));
}

type Verdict = readonly [LeftoverCause, LeftoverAction];

function ofDirectory(directory: BackupDirectory, rules: LeftoverRules): readonly FoundLeftover[] {
  const verdict = verdictOnDirectory(directory, rules);
  if (verdict === undefined) {
    return [];
  }
  const [cause, action] = verdict;
  const leftover = {
    cause,
    action,
    backupName: directory.name,
    since: formatTimestamp(directory.changedAt),
    objects: [],
  };
  return [{ leftover: { ...leftover, message: describeLeftover(leftover) } }];
}

function verdictOnDirectory(
  { state }: BackupDirectory,
  { unknownBackups }: LeftoverRules,
): Verdict | undefined {
  switch (state) {
    case 'complete':
      return undefined;
    case 'deleting':
      return ['DeletionInterrupted', 'FinishDeletion'];
    case 'unfinished':
      return ['BackupUnfinished', 'DeleteFiles'];
    case 'unrecognised':
      return ['UnrecognisedFiles', unknownBackups === 'remove' ? 'DeleteFiles' : 'None'];
    default:
      return state satisfies never;
  }
}

function ofPair(
  pair: SurveyedPair,
  directories: StoreSurvey,
  needed: ReadonlySet<string>,
  rules: LeftoverRules,
): readonly FoundLeftover[] {
  const label = labelOf(pair, VeleroLabel.backupName);
  // What a sync has made, the next one removes, and knows of which store it is.
  const isSynced = labelOf(pair, LifeboatLabel.syncedFrom) !== undefined;
  if (label === undefined || isSynced || pair.claims === 'waiting') {
    return [];
  }
  const directory = directories.get(label);
  const snapshot = snapshotHandleOf(pair);
  const isNeeded = snapshot !== undefined && needed.has(snapshotKeyOf(snapshot));
  const verdict = verdictOnPair(pair, directory, isNeeded, rules);
  if (verdict === undefined) {
    return [];
  }
  const [cause] = verdict;
  const leftover = {
    cause,
    action: allowedAction(verdict, isNeeded, directory, rules),
    backupName: directory?.name ?? label,
    since: formatTimestamp(changedAt(pair, cause, directory)),
    objects: objectsOf(pair),
    ...snapshot,
  } as const;
  return [{ leftover: { ...leftover, message: describeLeftover(leftover) }, pair }];
}

/** Whatever else is so: a snapshot that a complete backup refers to is never freed, and an unknown backup not touched. */
function allowedAction(
  [cause, intended]: Verdict,
  isNeeded: boolean,
  directory: BackupDirectory | undefined,
  { unknownBackups }: LeftoverRules,
): LeftoverAction {
  if (directory === undefined && unknownBackups === 'report' && cause !== 'RetainedByVelero') {
    return 'None';
  }
  return intended === 'FreeSnapshot' && isNeeded ? 'DeleteObjects' : intended;
}

function verdictOnPair(
  pair: SurveyedPair,
  directory: BackupDirectory | undefined,
  isNeeded: boolean,
  rules: LeftoverRules,
): Verdict | undefined {
  const origin = originOf(pair);
  switch (origin) {
    case 'restore':
      return [pair.claims === 'none' ? 'RestoreAbandoned' : 'RestoreFinished', 'DeleteObjects'];
    case 'probe':
      return ['ProbeInterrupted', 'DeleteObjects'];
    case 'release':
      return ['ReleaseInterrupted', 'FreeSnapshot'];
    case 'run':
      return verdictOnRun(pair, directory, isNeeded, rules);
    case 'kept':
      return verdictOnKept(pair, directory, isNeeded, rules);
    case 'synced':
      return undefined;
    case 'retained by Velero':
      return directory === undefined
        ? ['RetainedByVelero', rules.retainedByVelero === 'remove' ? 'FreeSnapshot' : 'None']
        : undefined;
    case 'other':
      return directory === undefined ? unknownBackup(rules) : undefined;
    default:
      return origin satisfies never;
  }
}

function verdictOnRun(
  pair: SurveyedPair,
  directory: BackupDirectory | undefined,
  isNeeded: boolean,
  rules: LeftoverRules,
): Verdict {
  if (isNeeded) {
    return ['SnapshotNotDetached', 'DeleteObjects'];
  }
  // Another store may hold a backup of the same name: the run tells.
  if (directory === undefined || labelOf(pair, LifeboatLabel.run) !== directory.runId) {
    return unknownBackup(rules);
  }
  const { state, snapshots } = directory;
  switch (state) {
    case 'unrecognised':
      return unknownBackup(rules);
    case 'unfinished':
      return ['SnapshotOfUnfinishedBackup', 'FreeSnapshot'];
    case 'deleting':
      return ['DeletionInterrupted', 'FreeSnapshot'];
    case 'complete':
      // A complete backup whose files do not tell its snapshots may need any of them.
      return snapshots === undefined
        ? ['SnapshotNotDetached', 'DeleteObjects']
        : ['SnapshotNotInBackup', 'FreeSnapshot'];
    default:
      return state satisfies never;
  }
}

function verdictOnKept(
  pair: SurveyedPair,
  directory: BackupDirectory | undefined,
  isNeeded: boolean,
  rules: LeftoverRules,
): Verdict | undefined {
  if (!isNeeded && directory?.state !== 'complete') {
    return verdictOnRun(pair, directory, isNeeded, rules);
  }
  return objectTimes(pair, 'deletionTimestamp').length > 0
    ? ['RemovalStuck', 'DeleteObjects']
    : undefined;
}

function unknownBackup({ unknownBackups }: LeftoverRules): Verdict {
  return ['UnknownBackup', unknownBackups === 'remove' ? 'FreeSnapshot' : 'None'];
}

function changedAt(
  pair: SurveyedPair,
  cause: LeftoverCause,
  directory: BackupDirectory | undefined,
): Date {
  const times = [
    ...objectTimes(pair, 'creationTimestamp'),
    ...objectTimes(pair, 'deletionTimestamp'),
  ];
  // A run that still writes into its directory is alive, whatever the age of its first snapshot.
  const isOfRun = cause === 'SnapshotOfUnfinishedBackup' && directory !== undefined;
  return new Date(Math.max(0, ...times, ...(isOfRun ? [directory.changedAt.getTime()] : [])));
}

function objectTimes(
  { volumeSnapshot, volumeSnapshotContent }: SurveyedPair,
  field: 'creationTimestamp' | 'deletionTimestamp',
): readonly number[] {
  return [volumeSnapshot, volumeSnapshotContent].flatMap((object) => {
    const time = object?.metadata[field];
    return typeof time === 'string' ? [Date.parse(time)] : [];
  });
}

function objectsOf({
  volumeSnapshot,
  volumeSnapshotContent,
}: SurveyedPair): readonly LeftoverObject[] {
  return [
    ...leftoverObject(Resources.volumeSnapshots, volumeSnapshot),
    ...leftoverObject(Resources.volumeSnapshotContents, volumeSnapshotContent),
  ];
}

function leftoverObject(
  resource: { readonly group: string; readonly resource: string },
  object: KubernetesObject | undefined,
): readonly LeftoverObject[] {
  if (object === undefined) {
    return [];
  }
  const { namespace, name, uid = '' } = object.metadata;
  const groupResource = groupResourceOf(resource);
  return [
    namespace === undefined
      ? { groupResource, name, uid }
      : { groupResource, namespace, name, uid },
  ];
}
