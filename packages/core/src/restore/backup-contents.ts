import { parseArchivedObject } from '../archive/archived-object.ts';
import { LifeboatError } from '../errors.ts';
import type { KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';
import { asWrittenVersion } from '../snapshot/served-snapshot-api.ts';
import type { BackupSpool, SpoolRecord } from './backup-spool.ts';
import type { VersionChooser } from './version-chooser.ts';
import type { EntryVersions } from './version-records.ts';

/** An object of a backup that lies in the spool. */
export interface SpooledEntry extends ResourceIdentifier {
  /** Whether it is restored of its own; otherwise only when something that is restored needs it. */
  readonly selected: boolean;
  /** Whether it is restored only when an item action asks for it. @default false */
  readonly isOnRequest?: true;
  readonly record: SpoolRecord;
}

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
  readonly #entries: readonly SpooledEntry[];
  /** By what they share, and by name: a key of its own for each of some ten thousand objects would be as much again. */
  readonly #byPlace = new Map<string, Map<string, SpooledEntry>>();
  /** SHA-256 of the archive, in hexadecimal digits. */
  readonly digest: string;

  readonly #versionsOf: (entry: ResourceIdentifier) => EntryVersions | undefined;
  readonly #chooseVersion: VersionChooser;

  /** Takes the spool over. */
  constructor(
    spool: BackupSpool,
    entries: Iterable<SpooledEntry>,
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
    this.#entries = [...entries];
    for (const entry of this.#entries) {
      const place = placeOf(entry);
      const inPlace = this.#byPlace.get(place) ?? new Map<string, SpooledEntry>();
      this.#byPlace.set(place, inPlace.set(entry.name, entry));
    }
  }

  /** Every entry, in the order of the archive. */
  get entries(): Iterable<SpooledEntry> {
    return this.#entries;
  }

  /** Looks an entry up by its name in the backup. */
  find(identifier: ResourceIdentifier): SpooledEntry | undefined {
    return this.#byPlace.get(placeOf(identifier))?.get(identifier.name);
  }

  /** Reads the object of an entry, in the version that is chosen for the target as it is now. Snapshot objects of v1beta1, as Velero stored them until 1.8, are read as v1. */
  async read(entry: SpooledEntry): Promise<KubernetesObject> {
    const { object, problem } = parseArchivedObject(
      entry,
      await this.#spool.read(this.#recordOf(entry)),
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
    return versions === undefined
      ? entry.record
      : (versions.records.get(this.#chooseVersion(entry.groupResource, versions)) ?? entry.record);
  }

  /** Frees the spool. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool.close();
  }
}

function placeOf({ groupResource, namespace = '' }: ResourceIdentifier): string {
  return `${groupResource}/${namespace}`;
}
