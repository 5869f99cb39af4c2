/** Work on one object that was begun before its turn. */
interface AheadItem<Turn> {
  readonly turn: PromiseWithResolvers<Turn>;
  /** Settles as the work does. */
  readonly done: Promise<void>;
  /** Resolves when the work is done and its turn had come. */
  readonly left: Promise<void>;
  taken: boolean;
}

/** Does what needs no turn, awaits its turn, and does the rest. */
export type AheadWork<Turn> = (turn: Promise<Turn>) => Promise<void>;

/**
 * Begins work on objects before it is their turn, on a bounded number of them, and gives each its turn: in the order in which they
 * came, or at once when an object whose turn it is needs it. A turn always comes, also after a failure: work has to look at its signal
 * then.
 */
export class ItemsAhead<Turn> {
  readonly #limit: number;
  readonly #items = new Map<string, AheadItem<Turn>>();
  #inOrder: Promise<void> = Promise.resolve();
  /** How many of those that come in order have been promised room. */
  #promised = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether one more may be begun. */
  get hasRoom(): boolean {
    return this.#items.size + this.#promised < this.#limit;
  }

  /** Resolves when one more may be begun in order; the room is kept for it. Never rejects. */
  async untilRoom(): Promise<void> {
    while (this.#items.size >= this.#limit) {
      await Promise.race([...this.#items.values()].map(({ left }) => left));
    }
    this.#promised = 1;
  }

  /** Whether an object is worked on. */
  has(key: string): boolean {
    return this.#items.has(key);
  }

  /** Begins work on an object whose turn comes after all that were begun so. What the work rejects with goes to `fail`. */
  beginInOrder(
    key: string,
    work: AheadWork<Turn>,
    { turn, fail }: { readonly turn: Turn; readonly fail: (error: unknown) => void },
  ): void {
    this.#promised = 0;
    const item = this.#begin(key, work);
    this.#inOrder = this.#inOrder.then(async () => {
      this.#take(item, turn);
      await item.done.catch(fail);
    });
  }

  /** Begins work on an object that has to be {@link ItemsAhead.take taken}. */
  begin(key: string, work: AheadWork<Turn>): void {
    this.#begin(key, work);
  }

  /** Gives an object its turn and settles as its work does; `undefined` when nothing is begun for it, or its turn has come. */
  take(key: string, turn: Turn): Promise<void> | undefined {
    const item = this.#items.get(key);
    if (item === undefined || item.taken) {
      return undefined;
    }
    this.#take(item, turn);
    return item.done;
  }

  /** Resolves when all that were begun in order are done. Never rejects. */
  async finish(): Promise<void> {
    this.#promised = 0;
    await this.#inOrder;
  }

  #begin(key: string, work: AheadWork<Turn>): AheadItem<Turn> {
    const turn = Promise.withResolvers<Turn>();
    const done = work(turn.promise);
    const leave = (): void => {
      this.#items.delete(key);
    };
    const left = Promise.allSettled([turn.promise, done]).then(leave);
    const item = { turn, done, left, taken: false };
    this.#items.set(key, item);
    return item;
  }

  #take(item: AheadItem<Turn>, turn: Turn): void {
    item.taken = true;
    item.turn.resolve(turn);
  }
}
