import { onAbort } from './on-abort.ts';

/**
 * A signal that aborts with another one or on its own, and leaves no listener behind on that other one.
 *
 * `AbortSignal.any` would keep the scope reachable from a long-lived signal; dispose the scope and nothing does.
 */
export class AbortScope implements Disposable {
  readonly #controller = new AbortController();
  readonly #leave: () => void;

  constructor(parent: AbortSignal | undefined) {
    const follow = (): void => this.#controller.abort(parent?.reason);
    if (parent?.aborted === true) {
      follow();
    }
    this.#leave = parent === undefined ? () => undefined : onAbort(parent, follow);
  }

  /** Aborts when the parent does, with its reason, or when {@link AbortScope.abort} is called. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts the scope alone. The first reason stays. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Stops following the parent; the signal keeps its state. */
  [Symbol.dispose](): void {
    this.#leave();
  }
}
