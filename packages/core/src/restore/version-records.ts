import { identifierKey, type ResourceIdentifier } from '../model/kubernetes.ts';
import type { SpoolRecord } from './backup-spool.ts';
import type { ArchivedVersions } from './choose-version.ts';

/** The copies of an entry in versions that were not the preferred one, beside that one. */
export interface EntryVersions extends ArchivedVersions {
  readonly records: ReadonlyMap<string, SpoolRecord>;
}

/** Collects, while an archive is read, the copies of its objects in other versions. Grows only with those. */
export class VersionRecords {
  readonly #preferred = new Map<string, string>();
  readonly #records = new Map<string, Map<string, SpoolRecord>>();

  /** Takes in the version of the unversioned copy of an object, which is the same for all of a resource. */
  addPreferred({ groupResource }: ResourceIdentifier, version: string): void {
    if (!this.#preferred.has(groupResource)) {
      this.#preferred.set(groupResource, version);
    }
  }

  /** Takes in where the copy of an object in another version lies. */
  add(entry: ResourceIdentifier, version: string, record: SpoolRecord): void {
    const key = identifierKey(entry);
    const records = this.#records.get(key) ?? new Map<string, SpoolRecord>();
    this.#records.set(key, records.set(version, record));
  }

  /** The versions of an entry; `undefined` when it has the preferred one only. Complete once the archive was read to its end. */
  of(entry: ResourceIdentifier): EntryVersions | undefined {
    // Hardly any backup has copies in other versions.
    const records = this.#records.size === 0 ? undefined : this.#records.get(identifierKey(entry));
    const preferred = this.#preferred.get(entry.groupResource);
    return records === undefined || preferred === undefined
      ? undefined
      : { preferred, versions: [preferred, ...records.keys()], records };
  }
}
