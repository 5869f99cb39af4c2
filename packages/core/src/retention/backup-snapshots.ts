import { readArchive } from '../archive/archive-reader.ts';
import { readArtifactList } from '../catalog/backup-files.ts';
import { backupKey } from '../catalog/key-layout.ts';
import { isLifeboatError, messageOf } from '../errors.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { groupResourceOf } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { parseUntrustedJson } from '../model/untrusted-json.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import {
  distinctSnapshots,
  isTakenFor,
  type StoredSnapshot,
  snapshotOfContent,
  snapshotOfVolumeInfo,
} from './stored-snapshot.ts';

const contents = groupResourceOf(Resources.volumeSnapshotContents);

/** The storage snapshots of a backup. */
export interface BackupSnapshots {
  readonly snapshots: readonly StoredSnapshot[];
  /** Why the archive could not be read, although the other files name the snapshots; absent when it could. */
  readonly archiveProblem?: string | undefined;
}

/**
 * Reads which storage snapshots a backup refers to, from every file that may tell: the contents in its archive, its volume
 * information, and the file of contents that Velero wrote until 1.16. A missing file tells nothing, as when an interrupted
 * deletion has removed it, after all snapshots were freed.
 *
 * @throws {LifeboatError} code CorruptBackup when a small file cannot be read, or the archive while there is no small file.
 */
export async function readBackupSnapshots(
  store: ObjectStore,
  name: string,
  options: CallOptions = {},
): Promise<BackupSnapshots> {
  const listed = await readListedSnapshots(store, name, options);
  try {
    const archived = await readArchivedSnapshots(store, name, options);
    const taken = archived.filter((snapshot) => isTakenFor(snapshot, name));
    return { snapshots: distinctSnapshots([...taken, ...listed]) };
  } catch (error) {
    if (!isLifeboatError(error, 'CorruptBackup') || !(await hasList(store, name, options))) {
      throw error;
    }
    return { snapshots: listed, archiveProblem: messageOf(error) };
  }
}

async function hasList(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions,
): Promise<boolean> {
  for (const artifact of ['volumeInfo', 'csiVolumeSnapshotContents'] as const) {
    if ((await store.stat(backupKey(name, artifact), { signal })) !== undefined) {
      return true;
    }
  }
  return false;
}

/**
 * Reads the same without the archive, from the two small files, of which every version of Velero that knows CSI snapshots
 * wrote one.
 *
 * @throws {LifeboatError} code CorruptBackup when one of them cannot be read.
 */
export async function readListedSnapshots(
  store: ObjectStore,
  name: string,
  options: CallOptions = {},
): Promise<readonly StoredSnapshot[]> {
  const listed = await readArtifactList(store, name, 'csiVolumeSnapshotContents', options);
  const volumes = await readArtifactList(store, name, 'volumeInfo', options);
  return distinctSnapshots([
    ...present(listed, snapshotOfContent),
    ...present(volumes, snapshotOfVolumeInfo),
  ]);
}

/**
 * Reads the snapshots of all contents in a backup's archive, whoever they were taken for; none when there is no archive.
 *
 * @throws {LifeboatError} code CorruptBackup when the archive is damaged.
 */
export async function readArchivedSnapshots(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<readonly StoredSnapshot[]> {
  const found: StoredSnapshot[] = [];
  let source: AsyncIterable<Uint8Array>;
  try {
    source = await store.get(backupKey(name, 'archive'), { signal });
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return found;
    }
    throw error;
  }
  const select = ({ groupResource }: { readonly groupResource: string }): boolean =>
    groupResource === contents;
  for await (const { bytes } of readArchive(source, { signal, select })) {
    const snapshot = snapshotOfContent(parseOrNull(bytes));
    if (snapshot !== undefined) {
      found.push(snapshot);
    }
  }
  return found;
}

function present(
  objects: readonly JsonObject[],
  snapshotOf: (object: JsonObject) => StoredSnapshot | undefined,
): readonly StoredSnapshot[] {
  return objects.flatMap((object) => snapshotOf(object) ?? []);
}

// An entry that is not JSON names no snapshot; a restore reports it.
function parseOrNull(bytes: Uint8Array): JsonValue {
  try {
    return parseUntrustedJson(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
