import { messageOf } from '../../errors.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../../model/labels.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { WatchedPod } from './watched-pod.ts';

/** What {@link RestoredPods} works with. */
export interface RestoredPodsOptions {
  readonly cluster: Cluster;
  readonly restoreName: string;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/**
 * Follows pods of one restore through one watch, however many there are; it is opened when the first is followed. Pods that
 * nobody follows are not remembered. A watch that fails makes every pod `unknown`.
 */
export class RestoredPods {
  readonly #options: RestoredPodsOptions;
  readonly #followed = new Map<string, WatchedPod>();
  #watch: Promise<void> | undefined;
  #failure: string | undefined;

  constructor(options: RestoredPodsOptions) {
    this.#options = options;
  }

  /** Begins to follow a pod that was just created. */
  async follow(created: KubernetesObject): Promise<WatchedPod> {
    const pod = new WatchedPod(created);
    const key = keyOf(created);
    this.#followed.set(key, pod);
    this.#watch ??= this.#start();
    if (this.#failure !== undefined) {
      pod.fail(this.#failure);
    }
    // What the watch told of it before it was followed.
    await this.#look(key, pod);
    return pod;
  }

  /** Forgets a pod. */
  forget({ metadata }: KubernetesObject): void {
    this.#followed.delete(keyOf({ metadata }));
  }

  /** Resolves when the watch has ended, which it does when the signal aborts. */
  async ended(): Promise<void> {
    await this.#watch;
  }

  async #start(): Promise<void> {
    const { cluster, restoreName, signal } = this.#options;
    let unseen = new Set(this.#followed.keys());
    const labelSelector = `${VeleroLabel.restoreName}=${labelValueOf(restoreName)}`;
    try {
      for await (const event of cluster.watch(Resources.pods, { labelSelector, signal })) {
        if (event.type === 'restarted') {
          unseen = new Set(this.#followed.keys());
        } else if (event.type === 'synced') {
          await this.#lookAt(unseen);
          unseen.clear();
        } else {
          const key = keyOf(event.object);
          unseen.delete(key);
          const pod = this.#followed.get(key);
          if (event.type === 'deleted') {
            pod?.remove(event.object);
          } else {
            pod?.see(event.object);
          }
        }
      }
      this.#fail('the watch of the restored pods has ended');
    } catch (error) {
      this.#fail(`the restored pods cannot be watched: ${messageOf(error)}`);
    }
  }

  // What a restarted watch does not tell of was deleted meanwhile, or created after its list was taken.
  async #lookAt(keys: ReadonlySet<string>): Promise<void> {
    for (const key of keys) {
      const pod = this.#followed.get(key);
      if (pod !== undefined) {
        await this.#look(key, pod);
      }
    }
  }

  async #look(key: string, pod: WatchedPod): Promise<void> {
    const { cluster, signal } = this.#options;
    const [namespace = '', name = ''] = key.split('/');
    try {
      const object = await cluster.get({ ...Resources.pods, namespace, name }, { signal });
      if (object === undefined) {
        pod.lose();
      } else {
        pod.see(object);
      }
    } catch (error) {
      pod.fail(`the pod cannot be read: ${messageOf(error)}`);
    }
  }

  #fail(why: string): void {
    this.#failure = why;
    for (const pod of this.#followed.values()) {
      pod.fail(why);
    }
  }
}

function keyOf({ metadata }: Pick<KubernetesObject, 'metadata'>): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
