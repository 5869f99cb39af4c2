/**
 * How many requests may be under way at a time, learned from how the server takes them: it halves when the server refuses one
 * because it is overloaded, and widens again by one after as many successes as it is wide. Does no I/O and knows no time.
 */
export class ConcurrencyWindow {
  readonly #maximum: number;
  #width: number;
  #successes = 0;
  #epoch = 0;

  /** @param maximum - the width to start with, never exceeded; at least one. */
  constructor(maximum: number) {
    this.#maximum = maximum;
    this.#width = maximum;
  }

  get width(): number {
    return this.#width;
  }

  /** To be handed back with the outcome of what is started now. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Something that was started has succeeded. */
  succeeded(): void {
    this.#successes += 1;
    if (this.#successes >= this.#width && this.#width < this.#maximum) {
      this.#width += 1;
      this.#successes = 0;
    }
  }

  /**
   * Something was refused. What was started before the window last halved does not count: one overload refuses all that is under
   * way, and is one reason to halve.
   */
  refused(startedIn: number): void {
    if (startedIn === this.#epoch) {
      this.#epoch += 1;
      this.#width = Math.max(1, Math.floor(this.#width / 2));
      this.#successes = 0;
    }
  }
}
