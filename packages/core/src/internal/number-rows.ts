import { NumberList } from './number-list.ts';

/** Rows of numbers such as a {@link NumberList} holds, in the order in which they were added. */
export class NumberRows {
  readonly #columns: number;
  readonly #numbers = new NumberList();

  /** @param columns how many numbers each row has. */
  constructor(columns: number) {
    this.#columns = columns;
  }

  /** How many rows there are. */
  get length(): number {
    return this.#numbers.length / this.#columns;
  }

  /** Adds a row; returns how many there were before. */
  add(...row: readonly number[]): number {
    this.#numbers.add(...row);
    return this.length - 1;
  }

  /** Throws RangeError when there is no such row. */
  get(row: number, column: number): number {
    return this.#numbers.at(this.#columns * row + column);
  }
}
