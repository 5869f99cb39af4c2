import { IdentifierList } from '../archive/identifier-list.ts';
import { NumberRows } from '../internal/number-rows.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import type { SpoolRecord } from './backup-spool.ts';

/** An object of a backup that lies in the spool. */
export interface SpooledEntry extends ResourceIdentifier {
  /** Its position among the entries of the backup, by which it is known: an entry is made anew whenever it is asked for. */
  readonly index: number;
  /** Whether it is restored of its own; otherwise only when something that is restored needs it. */
  readonly selected: boolean;
  /** Whether it is restored only when an item action asks for it. @default false */
  readonly isOnRequest?: true;
}

/** What is said of an entry when it is added. */
export type NewEntry = Omit<SpooledEntry, 'index'> & { readonly record: SpoolRecord };

const recordColumn = 0;
const useColumn = 1;
const uses = { selected: 0, needed: 1, onRequest: 2 } as const;

/** The entries of a backup, in the order of its archive; names and numbers alone, outside of the heap. */
export class BackupEntries {
  readonly #identifiers = new IdentifierList();
  readonly #rows = new NumberRows(2);

  /** Adds an entry. */
  add({ selected, isOnRequest, record, ...identifier }: NewEntry): void {
    this.#identifiers.add(identifier);
    const use = selected ? uses.selected : isOnRequest === true ? uses.onRequest : uses.needed;
    this.#rows.add(record, use);
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Throws RangeError when there is none. */
  at(index: number): SpooledEntry {
    const use = this.#rows.get(index, useColumn);
    const entry = { ...this.#identifiers.at(index), index, selected: use === uses.selected };
    return use === uses.onRequest ? { ...entry, isOnRequest: true } : entry;
  }

  /** Looks an entry up by its name in the backup. */
  find(identifier: ResourceIdentifier): SpooledEntry | undefined {
    const index = this.#identifiers.find(identifier);
    return index === undefined ? undefined : this.at(index);
  }

  /** Where the object of an entry lies in the spool. */
  recordOf({ index }: SpooledEntry): SpoolRecord {
    return this.#rows.get(index, recordColumn);
  }

  /** How the names of two entries relate in the order of their code points. */
  compareNames(left: number, right: number): number {
    return this.#identifiers.compareNames(left, right);
  }

  *[Symbol.iterator](): Generator<SpooledEntry, void, undefined> {
    for (let index = 0; index < this.length; index += 1) {
      yield this.at(index);
    }
  }
}
