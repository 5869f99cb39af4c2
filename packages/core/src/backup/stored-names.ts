import { TextList } from '../internal/text-list.ts';

/** Names by kind, in the order in which they were added, as bytes outside of the heap. */
export class StoredNames {
  readonly #kinds = new Map<string, TextList>();

  /** Adds a name of a kind, also when it is there. */
  add(kind: string, name: string): void {
    let names = this.#kinds.get(kind);
    if (names === undefined) {
      names = new TextList();
      this.#kinds.set(kind, names);
    }
    names.add(name);
  }

  /** Takes time in proportion to the names of the kind. */
  has(kind: string, name: string): boolean {
    return this.#kinds.get(kind)?.has(name) ?? false;
  }

  /** Each kind with its names. */
  [Symbol.iterator](): Iterator<readonly [kind: string, names: Iterable<string>]> {
    return this.#kinds.entries();
  }
}
