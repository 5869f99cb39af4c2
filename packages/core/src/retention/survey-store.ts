import { backupExists, readArtifact } from '../catalog/backup-files.ts';
import { readDeletionMark } from '../catalog/deletion-mark.ts';
import { backupsDirectory, claimKey, deletionMarkKey } from '../catalog/key-layout.ts';
import { readClaim } from '../catalog/stored-claim.ts';
import { isLifeboatError } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import { isJsonArray, isJsonObject } from '../model/json.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import { labelValueOf } from '../model/labels.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { readArchivedSnapshots } from './backup-snapshots.ts';
import { snapshotKeyOf, snapshotOfContent, snapshotOfVolumeInfo } from './stored-snapshot.ts';

/** What the directory of a backup tells about it. */
export interface BackupDirectory {
  readonly name: string;
  /**
   * `complete`: it has a `velero-backup.json`. `deleting`: its deletion has begun. `unfinished`: it has a claim and no
   * `velero-backup.json`. `unrecognised`: it has neither.
   */
  readonly state: 'complete' | 'deleting' | 'unfinished' | 'unrecognised';
  /** The run that made it, or was making it; read only where objects in the cluster carry its name. */
  readonly runId?: string | undefined;
  /** When its newest file was written; the epoch when the store does not tell. */
  readonly changedAt: Date;
  /** The snapshots that a complete backup refers to; `undefined` when its files do not tell, or it is not complete. */
  readonly snapshots?: ReadonlySet<string> | undefined;
}

/** The directories of a store by the value that labels name their backup with. */
export type StoreSurvey = ReadonlyMap<string, BackupDirectory>;

const concurrency = 8;

/** Options of {@link surveyStore}. */
export interface SurveyStoreOptions extends CallOptions {
  /**
   * The backups, by the value that labels name them with, of which there are objects in a cluster. With none the contents of
   * no backup are read.
   */
  readonly labels: ReadonlySet<string>;
}

/**
 * Looks at every directory of a store, and at the snapshots that its complete backups refer to.
 *
 * @throws {ObjectStoreError} when the store cannot be read: without it nobody knows which snapshots are needed.
 * @throws {LifeboatError} code CorruptBackup when a complete backup cannot be read, for the same reason.
 */
export async function surveyStore(
  store: ObjectStore,
  { labels, signal }: SurveyStoreOptions,
): Promise<StoreSurvey> {
  const survey = new Map<string, BackupDirectory>();
  const directories = (await listDirectories(store, signal)).filter(({ name }) =>
    isDnsSubdomain(name),
  );
  const look = async (found: FoundDirectory, workSignal: AbortSignal): Promise<void> => {
    const { name, changedAt } = found;
    const state = await stateOf(store, found, workSignal);
    const isNeeded = state === 'complete' && labels.size > 0;
    const snapshots = isNeeded ? await snapshotsIn(store, name, workSignal) : undefined;
    const label = labelValueOf(name);
    const runId = labels.has(label) ? await runOf(store, name, state, workSignal) : undefined;
    survey.set(label, { name, state, changedAt, runId, snapshots });
  };
  await runAll(directories, look, { concurrency, signal });
  return survey;
}

interface FoundDirectory {
  readonly name: string;
  readonly changedAt: Date;
  readonly keys: ReadonlySet<string>;
}

async function listDirectories(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<readonly FoundDirectory[]> {
  const directories: FoundDirectory[] = [];
  let keys = new Set<string>();
  let changedAt = new Date(0);
  let current: string | undefined;
  const finish = (): void => {
    if (current !== undefined) {
      directories.push({ name: current, changedAt, keys });
    }
  };
  for await (const { key, lastModified } of store.list(backupsDirectory, { signal })) {
    const [name = '', rest] = key.slice(backupsDirectory.length).split('/');
    if (rest === undefined) {
      continue;
    }
    if (name !== current) {
      finish();
      current = name;
      keys = new Set();
      changedAt = new Date(0);
    }
    keys.add(key);
    changedAt = lastModified !== undefined && lastModified > changedAt ? lastModified : changedAt;
  }
  finish();
  return directories;
}

// A list may be older than what is stored now, so that a backup which was completed meanwhile has to be asked for.
async function stateOf(
  store: ObjectStore,
  { name, keys }: FoundDirectory,
  signal: AbortSignal,
): Promise<BackupDirectory['state']> {
  if (keys.has(deletionMarkKey(name))) {
    return 'deleting';
  }
  if (await backupExists(store, name, { signal })) {
    return 'complete';
  }
  return keys.has(claimKey(name)) ? 'unfinished' : 'unrecognised';
}

async function runOf(
  store: ObjectStore,
  name: string,
  state: BackupDirectory['state'],
  signal: AbortSignal,
): Promise<string | undefined> {
  return state === 'deleting'
    ? (await readDeletionMark(store, name, { signal }))?.runId
    : (await readClaim(store, name, { signal }))?.backupRunId;
}

// Only the files of Velero 1.6 and later tell; the archive of a backup whose small files are damaged tells the same.
async function snapshotsIn(
  store: ObjectStore,
  name: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  try {
    return (
      (await listedSnapshots(store, name, 'volumeInfo', signal)) ??
      (await listedSnapshots(store, name, 'csiVolumeSnapshotContents', signal))
    );
  } catch (error) {
    if (!isLifeboatError(error, 'CorruptBackup')) {
      throw error;
    }
    return new Set((await readArchivedSnapshots(store, name, { signal })).map(snapshotKeyOf));
  }
}

const snapshotOf = {
  volumeInfo: snapshotOfVolumeInfo,
  csiVolumeSnapshotContents: snapshotOfContent,
} as const;

async function listedSnapshots(
  store: ObjectStore,
  name: string,
  artifact: keyof typeof snapshotOf,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const value = await readArtifact(store, name, artifact, { signal });
  if (value === undefined) {
    return undefined;
  }
  const entries = (isJsonArray(value) ? value : []).filter(isJsonObject);
  const snapshots = entries.flatMap((entry) => snapshotOf[artifact](entry) ?? []);
  return new Set(snapshots.map(snapshotKeyOf));
}
