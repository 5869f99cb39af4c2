import { NumberRows } from '../internal/number-rows.ts';

/** Where a record lies in a spool: in which of its blocks, and where in that. */
export interface RecordPlace {
  readonly block: number;
  readonly offset: number;
  readonly length: number;
}

/** The places of the records of a spool, in the order in which they were added. */
export class RecordPlaces {
  readonly #rows = new NumberRows(3);

  /** Adds a place; returns how many there were before. */
  add({ block, offset, length }: RecordPlace): number {
    return this.#rows.add(block, offset, length);
  }

  /** Throws RangeError when none was added as that. */
  get(record: number): RecordPlace {
    return {
      block: this.#rows.get(record, 0),
      offset: this.#rows.get(record, 1),
      length: this.#rows.get(record, 2),
    };
  }
}
