import { IdentifierList } from '../archive/identifier-list.ts';
import { NumberRows } from '../internal/number-rows.ts';
import type { RestoreAction, RestoredItem } from '../model/event.ts';

const actionColumn = 0;
const reasonColumn = 1;
const kindColumn = 2;
const noReason = 0xff_ff_ff_ff;
const actions: readonly RestoreAction[] = [
  'created',
  'updated',
  'recreated',
  'deleted',
  'skipped',
  'failed',
];

/**
 * What became of objects, in the order in which it did, as names and numbers outside of the heap; the reasons that many have are kept once.
 */
export class RestoredItems {
  readonly #objects = new IdentifierList();
  readonly #rows = new NumberRows(3);
  readonly #reasons = new SharedTexts();
  readonly #kinds = new SharedTexts();

  /** @param kind `<apiVersion>/<Kind>` */
  add({ object, action, reason }: RestoredItem, kind: string): void {
    this.#objects.add(object);
    this.#rows.add(
      actions.indexOf(action),
      reason === undefined ? noReason : this.#reasons.numberOf(reason),
      this.#kinds.numberOf(kind),
    );
  }

  *[Symbol.iterator](): Generator<RestoredItem, void, undefined> {
    for (let index = 0; index < this.#rows.length; index += 1) {
      const object = this.#objects.at(index);
      const reason = this.#reasons.at(this.#rows.get(index, reasonColumn));
      yield { object, action: this.#actionAt(index), reason };
    }
  }

  /** Each kind with the names of its objects, as a resource list of a restore has them: `shop/web(created)`. */
  outcomes(): Iterable<readonly [kind: string, names: Iterable<string>]> {
    return Array.from(this.#kinds.entries(), ([number, kind]) => [
      kind,
      // Can be gone through repeatedly, as a generator cannot.
      { [Symbol.iterator]: () => this.#outcomesOf(number) },
    ]);
  }

  *#outcomesOf(kind: number): Generator<string, void, undefined> {
    for (let index = 0; index < this.#rows.length; index += 1) {
      if (this.#rows.get(index, kindColumn) === kind) {
        const { namespace, name } = this.#objects.at(index);
        const named = namespace === undefined ? name : `${namespace}/${name}`;
        yield `${named}(${this.#actionAt(index)})`;
      }
    }
  }

  #actionAt(index: number): RestoreAction {
    const action = actions[this.#rows.get(index, actionColumn)];
    if (action === undefined) {
      throw new RangeError(`there is no outcome ${index}`);
    }
    return action;
  }
}

/** Texts that many rows have, each once, by numbers. */
class SharedTexts {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) {
      return known;
    }
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  at(number: number): string | undefined {
    return this.#texts[number];
  }

  entries(): IterableIterator<[number, string]> {
    return this.#texts.entries();
  }
}
