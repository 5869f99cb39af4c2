import { createHash, type Hash } from 'node:crypto';
import { corruptArchive } from '../archive/archive-guard.ts';
import { readArchive } from '../archive/archive-reader.ts';
import { parseArchivedObject } from '../archive/archived-object.ts';
import { openArchive } from '../catalog/backup-files.ts';
import {
  type KubernetesObject,
  parseApiVersion,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { BackupContents } from './backup-contents.ts';
import { BackupEntries } from './backup-entries.ts';
import { BackupSpool } from './backup-spool.ts';
import type { HeldNames } from './held-names.ts';
import type { EntryDecision, ItemSelection } from './item-selection.ts';
import type { RestoreRecord } from './restore-record.ts';
import type { TargetResources } from './target-resources.ts';
import type { VersionChooser } from './version-chooser.ts';
import { VersionRecords } from './version-records.ts';

/** What {@link readBackupContents} works with. */
export interface ReadBackupOptions {
  readonly store: ObjectStore;
  readonly backupName: string;
  readonly selection: ItemSelection;
  /** What the target serves: copies in versions that it does not are left out. */
  readonly resources: Pick<TargetResources, 'mayServe'>;
  readonly chooseVersion: VersionChooser;
  /** Takes note of every name in the archive, whatever is selected. @default none is kept */
  readonly held?: HeldNames | undefined;
  readonly record: RestoreRecord;
  readonly tempDirectory: string | undefined;
  /** Files and directories that the archive may hold. @default that of {@link readArchive} */
  readonly maximumEntries?: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** From some corrupt objects on it is the archive that is wrong, and each more would be one more issue in memory. */
const mostCorruptObjects = 1_000;

/**
 * Reads the archive of a backup once, from end to end, and spools what the restore may need. Nothing of the cluster is
 * touched, so an archive that turns out to be damaged at its very end has done no harm. An object that is not what its path
 * says becomes an error issue and is left out; more than 1,000 of them are no backup.
 *
 * @throws {LifeboatError} code CorruptBackup when the archive is missing, damaged, cut off or hostile.
 */
export async function readBackupContents(options: ReadBackupOptions): Promise<BackupContents> {
  const { store, backupName, tempDirectory, maximumEntries, signal } = options;
  signal?.throwIfAborted();
  const spool = await BackupSpool.open({ directory: tempDirectory });
  try {
    const source = await openArchive(store, backupName, { signal });
    const entries = new BackupEntries();
    let corruptObjects = 0;
    const select = (entry: ResourceIdentifier): boolean => {
      options.held?.add(entry);
      return options.selection.decide(entry) !== 'ignore';
    };
    const selectVersion = (entry: ResourceIdentifier, version: string): boolean =>
      select(entry) && options.resources.mayServe(entry.groupResource, version);
    const versions = new VersionRecords();
    const hash = createHash('sha256');
    const reading = readArchive(hashed(source, hash), {
      ...{ signal, select, selectVersion, maximumEntries },
    });
    for await (const { entry, version, bytes } of reading) {
      const object = parse(entry, version, bytes, options);
      if (object === undefined) {
        corruptObjects += 1;
        if (corruptObjects > mostCorruptObjects) {
          throw corruptArchive(
            `more than ${mostCorruptObjects} of its objects are not what their paths say`,
          );
        }
        continue;
      }
      if (version !== undefined) {
        versions.add(entry, version, await spool.append(bytes));
        continue;
      }
      versions.addPreferred(entry, parseApiVersion(object.apiVersion).version);
      const decision = decide(entry, object, options);
      if (decision !== 'ignore') {
        const record = await spool.append(bytes);
        const selected = decision === 'restore';
        const kept = { ...entry, selected, record };
        entries.add(decision === 'on request' ? { ...kept, isOnRequest: true } : kept);
      }
    }
    await spool.flush();
    return new BackupContents(spool, entries, {
      digest: hash.digest('hex'),
      versionsOf: (entry) => versions.of(entry),
      chooseVersion: options.chooseVersion,
    });
  } catch (error) {
    await spool.close();
    throw error;
  }
}

/** The object of an entry; `undefined`, and an error issue, when it is not what its path says. */
function parse(
  entry: ResourceIdentifier,
  version: string | undefined,
  bytes: Uint8Array,
  { record }: ReadBackupOptions,
): KubernetesObject | undefined {
  const { object, problem = '' } = parseArchivedObject(entry, bytes);
  const isOfVersion =
    object === undefined ||
    version === undefined ||
    parseApiVersion(object.apiVersion).version === version;
  if (object !== undefined && isOfVersion) {
    return object;
  }
  const what = version === undefined ? 'it' : `its copy of version ${version}`;
  const why = isOfVersion ? problem : `it is of ${object.apiVersion}`;
  record.addIssue({
    severity: 'error',
    reason: 'CorruptObject',
    message: `${what} is not restored: ${why}`,
    object: entry,
  });
  return undefined;
}

function decide(
  entry: ResourceIdentifier,
  object: KubernetesObject,
  { selection }: ReadBackupOptions,
): EntryDecision {
  const decision = selection.decide(entry);
  return decision === 'restore' && !selection.wants(entry, object)
    ? selection.decideUnwanted(entry, object)
    : decision;
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}
