import { formatTimestamp } from '../model/timestamp.ts';
import { describeLeftover } from './describe-leftover.ts';
import type { Leftover, LeftoverAction, LeftoverCause } from './leftover.ts';
import { factsOfGroup, factsOfPair, type SnapshotFacts } from './leftover-facts.ts';
import type { SurveyedGroup, SurveyedPair } from './survey-cluster.ts';
import type { BackupDirectory, StoreSurvey } from './survey-store.ts';
import type { SurveyedUpload } from './survey-uploads.ts';

/** What {@link decideLeftovers} decides from. */
export interface LeftoverEvidence {
  readonly pairs: readonly SurveyedPair[];
  readonly groups: readonly SurveyedGroup[];
  readonly directories: StoreSurvey;
  readonly uploads: readonly SurveyedUpload[];
  readonly nowMs: number;
}

/** A leftover, with the pair of objects, the group or the upload that it is about; with none of them it is about files. */
export interface FoundLeftover {
  readonly leftover: Leftover;
  readonly pair?: SurveyedPair | undefined;
  readonly group?: SurveyedGroup | undefined;
  readonly upload?: SurveyedUpload | undefined;
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
  const { pairs, groups, directories, uploads } = evidence;
  const needed = neededSnapshots(directories);
  const { minimumAgeMs } = rules;
  const found = (facts: SnapshotFacts): readonly Leftover[] =>
    ofSnapshot(facts, directories, needed, rules);
  const isOld = ({ leftover }: FoundLeftover): boolean =>
    minimumAgeMs === 0 || evidence.nowMs - Date.parse(leftover.since) >= minimumAgeMs;
  return [
    ...pairs.flatMap((pair) => found(factsOfPair(pair)).map((leftover) => ({ leftover, pair }))),
    ...groups.flatMap((group) =>
      found(factsOfGroup(group)).map((leftover) => ({ leftover, group })),
    ),
    ...[...directories.values()].flatMap((directory) => ofDirectory(directory, rules)),
    ...uploads.map(ofUpload),
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

// Its age is that of a whole upload, and so bounds how long a run under way may take, as for all else.
function ofUpload(upload: SurveyedUpload): FoundLeftover {
  const { backupName, key, uploadId, startedAt } = upload;
  const leftover = {
    cause: 'UploadInterrupted',
    action: 'RemoveUpload',
    backupName,
    since: formatTimestamp(startedAt),
    objects: [],
    upload: { key, uploadId },
  } as const;
  return { leftover: { ...leftover, message: describeLeftover(leftover) }, upload };
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

function ofSnapshot(
  facts: SnapshotFacts,
  directories: StoreSurvey,
  needed: ReadonlySet<string>,
  rules: LeftoverRules,
): readonly Leftover[] {
  const { backupLabel, isSynced, claims, snapshotKeys } = facts;
  // What a sync has made, the next one removes, and knows of which store it is.
  if (backupLabel === undefined || isSynced || claims === 'waiting') {
    return [];
  }
  const directory = directories.get(backupLabel);
  // Those of a group are freed together or not at all.
  const isNeeded = snapshotKeys.some((key) => needed.has(key));
  const verdict = verdictOnSnapshot(facts, directory, isNeeded, rules);
  if (verdict === undefined) {
    return [];
  }
  const [cause] = verdict;
  const leftover = {
    cause,
    action: allowedAction(verdict, isNeeded, directory, rules),
    backupName: directory?.name ?? backupLabel,
    since: formatTimestamp(changedAt(facts, cause, directory)),
    objects: facts.objects,
    ...facts.handle,
  } as const;
  return [{ ...leftover, message: describeLeftover(leftover) }];
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

function verdictOnSnapshot(
  facts: SnapshotFacts,
  directory: BackupDirectory | undefined,
  isNeeded: boolean,
  rules: LeftoverRules,
): Verdict | undefined {
  const { origin, claims } = facts;
  switch (origin) {
    case 'restore':
      return [claims === 'none' ? 'RestoreAbandoned' : 'RestoreFinished', 'DeleteObjects'];
    case 'stub':
      return ['GroupStubLeft', 'DeleteObjects'];
    case 'probe':
      return ['ProbeInterrupted', 'DeleteObjects'];
    case 'release':
      return ['ReleaseInterrupted', 'FreeSnapshot'];
    case 'run':
      return verdictOnRun(facts, directory, isNeeded, rules);
    case 'kept':
      return verdictOnKept(facts, directory, isNeeded, rules);
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
  facts: SnapshotFacts,
  directory: BackupDirectory | undefined,
  isNeeded: boolean,
  rules: LeftoverRules,
): Verdict {
  if (isNeeded) {
    return ['SnapshotNotDetached', 'DeleteObjects'];
  }
  // Another store may hold a backup of the same name: the run tells.
  if (directory === undefined || facts.runLabel !== directory.runId) {
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
  facts: SnapshotFacts,
  directory: BackupDirectory | undefined,
  isNeeded: boolean,
  rules: LeftoverRules,
): Verdict | undefined {
  if (!isNeeded && directory?.state !== 'complete') {
    return verdictOnRun(facts, directory, isNeeded, rules);
  }
  return facts.deletedMs.length > 0 ? ['RemovalStuck', 'DeleteObjects'] : undefined;
}

function unknownBackup({ unknownBackups }: LeftoverRules): Verdict {
  return ['UnknownBackup', unknownBackups === 'remove' ? 'FreeSnapshot' : 'None'];
}

function changedAt(
  { createdMs, deletedMs }: SnapshotFacts,
  cause: LeftoverCause,
  directory: BackupDirectory | undefined,
): Date {
  // A run that still writes into its directory is alive, whatever the age of its first snapshot.
  const isOfRun = cause === 'SnapshotOfUnfinishedBackup' && directory !== undefined;
  const writtenMs = isOfRun ? [directory.changedAt.getTime()] : [];
  return new Date(Math.max(0, ...createdMs, ...deletedMs, ...writtenMs));
}
