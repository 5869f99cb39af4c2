import { readArchive } from '../archive/archive-reader.ts';
import { parseArchivedObject } from '../archive/archived-object.ts';
import { openArchive } from '../catalog/backup-files.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { BackupContents, type SpooledEntry } from './backup-contents.ts';
import { BackupSpool } from './backup-spool.ts';
import type { ItemSelection } from './item-selection.ts';
import type { RestoreRecord } from './restore-record.ts';

/** What {@link readBackupContents} works with. */
export interface ReadBackupOptions {
  readonly store: ObjectStore;
  readonly backupName: string;
  readonly selection: ItemSelection;
  readonly record: RestoreRecord;
  readonly tempDirectory: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the archive of a backup once, from end to end, and spools what the restore may need. Nothing of the cluster is
 * touched, so an archive that turns out to be damaged at its very end has done no harm. An object that is not what its path
 * says becomes an error issue and is left out.
 *
 * @throws {LifeboatError} code CorruptBackup when the archive is missing, damaged, cut off or hostile.
 */
export async function readBackupContents(options: ReadBackupOptions): Promise<BackupContents> {
  const { store, backupName, tempDirectory, signal } = options;
  signal?.throwIfAborted();
  const spool = await BackupSpool.open({ directory: tempDirectory });
  try {
    const source = await openArchive(store, backupName, { signal });
    const entries: SpooledEntry[] = [];
    const select = (entry: ResourceIdentifier): boolean =>
      options.selection.decide(entry) !== 'ignore';
    for await (const { entry, bytes } of readArchive(source, { signal, select })) {
      const selected = classify(entry, bytes, options);
      if (selected !== undefined) {
        entries.push({ ...entry, selected, record: await spool.append(bytes) });
      }
    }
    await spool.flush();
    return new BackupContents(spool, entries);
  } catch (error) {
    await spool.close();
    throw error;
  }
}

/** Whether an object is restored of its own; `undefined` when it is of no use. */
function classify(
  entry: ResourceIdentifier,
  bytes: Uint8Array,
  { selection, record }: ReadBackupOptions,
): boolean | undefined {
  const { object, problem } = parseArchivedObject(entry, bytes);
  if (object === undefined) {
    record.addIssue({
      severity: 'error',
      reason: 'CorruptObject',
      message: `it is not restored: ${problem}`,
      object: entry,
    });
    return undefined;
  }
  const decision = selection.decide(entry);
  if (decision === 'restore' && !selection.hasSelectedLabels(object)) {
    return selection.mayBeNeeded(entry) ? false : undefined;
  }
  return decision === 'restore';
}
