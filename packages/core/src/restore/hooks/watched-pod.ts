import { unlessAborted } from '../../internal/unless-aborted.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';

/** What is known of a pod that is followed. */
export type WatchedPodState =
  | { readonly kind: 'seen'; readonly pod: KubernetesObject }
  /** It does not exist any more, or another pod has its name. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly why: string };

/** One restored pod: what was last seen of it, and a way to wait for more. What is not `seen` is final. */
export class WatchedPod {
  readonly uid: string;
  #state: WatchedPodState;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(pod: KubernetesObject) {
    this.uid = pod.metadata.uid ?? '';
    this.#state = { kind: 'seen', pod };
  }

  get state(): WatchedPodState {
    return this.#state;
  }

  /** Takes in what was seen under the pod's name. */
  see(object: KubernetesObject): void {
    this.#become(
      object.metadata.uid === this.uid ? { kind: 'seen', pod: object } : { kind: 'gone' },
    );
  }

  /** Takes in that an object of the pod's name was deleted. */
  remove(object: KubernetesObject): void {
    if (object.metadata.uid === this.uid) {
      this.lose();
    }
  }

  lose(): void {
    this.#become({ kind: 'gone' });
  }

  fail(why: string): void {
    this.#become({ kind: 'unknown', why });
  }

  /** Resolves when something else than `known` is known. Aborted: rejects with `signal.reason`. */
  async changedFrom(known: WatchedPodState, signal: AbortSignal): Promise<void> {
    while (this.#state === known) {
      await unlessAborted(this.#changed.promise, signal);
    }
  }

  #become(state: WatchedPodState): void {
    if (this.#state.kind !== 'seen') {
      return;
    }
    this.#state = state;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
