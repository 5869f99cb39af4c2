import { NumberList } from '../internal/number-list.ts';
import type { BackupEntries, SpooledEntry } from './backup-entries.ts';

/** Some entries of a backup, in an order. Each is made when it is asked for, so that few are in memory. */
export class EntryList {
  readonly #entries: BackupEntries;
  readonly #indexes: NumberList;

  /** @param indexes positions among the entries of the backup. @default none */
  constructor(entries: BackupEntries, indexes: NumberList = new NumberList()) {
    this.#entries = entries;
    this.#indexes = indexes;
  }

  get length(): number {
    return this.#indexes.length;
  }

  *[Symbol.iterator](): Generator<SpooledEntry, void, undefined> {
    for (const index of this.#indexes) {
      yield this.#entries.at(index);
    }
  }

  /** Divides them by what is asked of each; the order stays within each group. */
  groupBy<K>(keyOf: (entry: SpooledEntry) => K): ReadonlyMap<K, EntryList> {
    const groups = new Map<K, NumberList>();
    for (const entry of this) {
      const key = keyOf(entry);
      const group = groups.get(key) ?? new NumberList();
      group.add(entry.index);
      groups.set(key, group);
    }
    return new Map([...groups].map(([key, group]) => [key, new EntryList(this.#entries, group)]));
  }

  /** The same in the order of the code points of their names. */
  sortedByName(): EntryList {
    const byName = (left: number, right: number): number => this.#entries.compareNames(left, right);
    return new EntryList(this.#entries, this.#indexes.toSorted(byName));
  }
}
