import { parseArchivedObject } from '../archive/archived-object.ts';
import { LifeboatError } from '../errors.ts';
import type { KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';
import { asWrittenVersion } from '../snapshot/served-snapshot-api.ts';
import type { BackupEntries, SpooledEntry } from './backup-entries.ts';
import type { BackupSpool, SpoolRecord } from './backup-spool.ts';
import type { VersionChooser } from './version-chooser.ts';
import type { EntryVersions } from './version-records.ts';

/** Options of {@link BackupContents}. */
export interface BackupContentsOptions {
  /** Of the archive. @default '' */
  readonly digest?: string | undefined;
  /** The copies of an entry in other versions. @default none */
  readonly versionsOf?: ((entry: ResourceIdentifier) => EntryVersions | undefined) | undefined;
  /** Which of several versions is read. @default the preferred one */
  readonly chooseVersion?: VersionChooser | undefined;
}

/** The objects of a backup that a restore may need: their names in memory, their content in the spool. */
export class BackupContents implements AsyncDisposable {
  readonly #spool: BackupSpool;
  /** Every entry, in the order of the archive. */
  readonly entries: BackupEntries;
  /** SHA-256 of the archive, in hexadecimal digits. */
  readonly digest: string;

  readonly #versionsOf: (entry: ResourceIdentifier) => EntryVersions | undefined;
  readonly #chooseVersion: VersionChooser;

  /** Takes the spool over. */
  constructor(
    spool: BackupSpool,
    entries: BackupEntries,
    {
      digest = '',
      versionsOf = () => undefined,
      chooseVersion = (_, { preferred }) => preferred,
    }: BackupContentsOptions = {},
  ) {
    this.#spool = spool;
    this.digest = digest;
    this.#versionsOf = versionsOf;
    this.#chooseVersion = chooseVersion;
    this.entries = entries;
  }

  /** Looks an entry up by its name in the backup. */
  find(identifier: ResourceIdentifier): SpooledEntry | undefined {
    return this.entries.find(identifier);
  }

  /** Reads the object of an entry, in the version that is chosen for the target as it is now. Snapshot objects of v1beta1, as Velero stored them until 1.8, are read as v1. */
  async read(entry: SpooledEntry): Promise<KubernetesObject> {
    const { object, problem } = await this.#spool.read(this.#recordOf(entry), (bytes) =>
      parseArchivedObject(entry, bytes),
    );
    if (object === undefined) {
      // It was read once before it was spooled.
      throw new LifeboatError(`the spooled object ${entry.name} cannot be read: ${problem}`, {
        code: 'CorruptBackup',
        operation: 'restore',
        target: entry.name,
      });
    }
    return asWrittenVersion(object);
  }

  /** Reads an object by its name in the backup; `undefined` when the backup does not hold it. */
  async get(identifier: ResourceIdentifier): Promise<KubernetesObject | undefined> {
    const entry = this.find(identifier);
    return entry === undefined ? undefined : this.read(entry);
  }

  #recordOf(entry: SpooledEntry): SpoolRecord {
    const versions = this.#versionsOf(entry);
    const version = versions && this.#chooseVersion(entry.groupResource, versions);
    const chosen = version === undefined ? undefined : versions?.records.get(version);
    return chosen ?? this.entries.recordOf(entry);
  }

  /** Frees the spool. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool.close();
  }
}
