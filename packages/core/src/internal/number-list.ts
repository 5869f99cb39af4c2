const firstCapacity = 64;

/**
 * Whole numbers from 0 to 4,294,967,295, in the order in which they were added. They are kept outside of the heap: what many of them take
 * there would outlive most collections of garbage, and V8 enlarges the space for new objects by how much that is.
 */
export class NumberList {
  #numbers = new Uint32Array(firstCapacity);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds numbers, the last of them last. */
  add(...numbers: readonly number[]): void {
    const length = this.#length + numbers.length;
    if (length > this.#numbers.length) {
      const grown = new Uint32Array(Math.max(length, 2 * this.#numbers.length));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers.set(numbers, this.#length);
    this.#length = length;
  }

  /** Throws RangeError when there is none. */
  at(index: number): number {
    const number = index < this.#length ? this.#numbers[index] : undefined;
    if (number === undefined) {
      throw new RangeError(`there is no number ${index}`);
    }
    return number;
  }

  /** The same numbers in another order; those of which none comes first stay as they are. */
  toSorted(compare: (left: number, right: number) => number): NumberList {
    const sorted = new NumberList();
    sorted.#numbers = this.#numbers.slice(0, this.#length).sort(compare);
    sorted.#length = this.#length;
    return sorted;
  }

  /** Goes through what is added meanwhile too. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let index = 0; index < this.#length; index += 1) {
      yield this.at(index);
    }
  }
}
