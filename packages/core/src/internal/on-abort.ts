/** What is to be called when one signal aborts. */
interface AbortCallbacks {
  readonly pending: PendingCallback[];
  readonly callAll: () => void;
}

interface PendingCallback {
  readonly callback: () => void;
  /** Where it stands among those of its signal; `undefined` once it is taken out. */
  place: number | undefined;
}

const callbacksOf = new WeakMap<AbortSignal, AbortCallbacks>();

/**
 * Calls back when a signal aborts, unless the returned function is called before that. A signal that has aborted already calls nobody. The
 * callback must not throw.
 *
 * For signals that outlive thousands of those who listen to them: listeners of an event target are a linked list, in which one that was
 * removed goes on to point at the next. As soon as one of them has outlived two collections of garbage, V8 takes each later one for
 * alive, with all that it holds, until the next collection of the whole heap. Here the target has one listener, and none points at another.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    return () => undefined;
  }
  const { pending, callAll } = callbacksOf.get(signal) ?? begin(signal);
  if (pending.length === 0) {
    signal.addEventListener('abort', callAll, { once: true });
  }
  const own: PendingCallback = { callback, place: pending.length };
  pending.push(own);
  return () => {
    if (own.place === undefined) {
      return;
    }
    const last = pending.pop();
    if (last !== undefined && last !== own) {
      pending[own.place] = last;
      last.place = own.place;
    }
    own.place = undefined;
    if (pending.length === 0) {
      signal.removeEventListener('abort', callAll);
    }
  };
}

function begin(signal: AbortSignal): AbortCallbacks {
  const pending: PendingCallback[] = [];
  const callAll = (): void => {
    for (const own of pending.splice(0)) {
      if (own.place !== undefined) {
        own.place = undefined;
        own.callback();
      }
    }
  };
  const callbacks = { pending, callAll };
  callbacksOf.set(signal, callbacks);
  return callbacks;
}
