/** Where a record lies in a spool: in which of its blocks, and where in that. */
export interface RecordPlace {
  readonly block: number;
  readonly offset: number;
  readonly length: number;
}

const numbersPerPlace = 3;
const firstPlaces = 256;

/** The places of the records of a spool, in the order in which they were added, as numbers outside of the heap. */
export class RecordPlaces {
  #numbers = new Uint32Array(numbersPerPlace * firstPlaces);
  #count = 0;

  /** Adds a place; returns how many there were before. */
  add({ block, offset, length }: RecordPlace): number {
    const index = this.#count;
    const start = numbersPerPlace * index;
    if (start === this.#numbers.length) {
      const grown = new Uint32Array(2 * this.#numbers.length);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers.set([block, offset, length], start);
    this.#count += 1;
    return index;
  }

  /** @throws RangeError when none was added as that. */
  get(index: number): RecordPlace {
    if (index < 0 || index >= this.#count) {
      throw new RangeError(`the spool has no record ${index}`);
    }
    const start = numbersPerPlace * index;
    return {
      block: this.#numbers[start] ?? 0,
      offset: this.#numbers[start + 1] ?? 0,
      length: this.#numbers[start + 2] ?? 0,
    };
  }
}
