import { NumberList } from '../internal/number-list.ts';
import type { BackupEntries, SpooledEntry } from './backup-entries.ts';
import { EntryList } from './entry-list.ts';

/** Some entries of a backup, each once, in the order in which they were added. */
export class EntrySet {
  readonly #entries: BackupEntries;
  readonly #indexes = new NumberList();
  /** Of each entry of the backup, whether it is among them. */
  readonly #isMember: Uint8Array;

  constructor(entries: BackupEntries) {
    this.#entries = entries;
    this.#isMember = new Uint8Array(entries.length);
  }

  get size(): number {
    return this.#indexes.length;
  }

  /** Adds an entry, unless it is there. */
  add(entry: SpooledEntry): void {
    if (!this.has(entry)) {
      this.#isMember[entry.index] = 1;
      this.#indexes.add(entry.index);
    }
  }

  has({ index }: SpooledEntry): boolean {
    return this.#isMember[index] === 1;
  }

  /** The entries that it holds, in their order. What is added later is among them too. */
  list(): EntryList {
    return new EntryList(this.#entries, this.#indexes);
  }
}
