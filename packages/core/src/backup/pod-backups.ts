import { isServerUnreachable } from '../errors.ts';
import { HookRunner } from '../hooks/hook-runner.ts';
import type { BackupEvent } from '../model/event.ts';
import {
  type ApiResource,
  identifierOf,
  type KubernetesObject,
  type ObjectReference,
  referenceTo,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { claimNamesOf } from '../model/pod-claims.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { Logger } from '../ports/logger.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import type { BackupRecord } from './backup-record.ts';
import type { BackupScope } from './backup-scope.ts';
import type { ClaimVolumes } from './claim-volumes.ts';
import { backUpInWindow, type HookedPod } from './hook-window.ts';
import type { ItemBackupper } from './item-backupper.ts';
import { podBlocks } from './pod-blocks.ts';
import { createHookFinder, type HookFinder } from './pod-hooks.ts';

/** What {@link PodBackups} works with. */
export interface PodBackupsOptions {
  readonly cluster: Cluster;
  readonly podExec: PodExec | undefined;
  readonly scope: BackupScope;
  readonly record: BackupRecord;
  readonly volumes: ClaimVolumes;
  readonly backupper: ItemBackupper;
  /** Whether listing will meet a pod. */
  readonly selects: (reference: ObjectReference, pod: KubernetesObject) => boolean;
  /** How many windows are open at a time. */
  readonly hookedPods: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly emit: (event: BackupEvent) => void;
  /** Told of what ends the run while nobody waits for the window in which it happens. */
  readonly fail: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * Backs up listed pods, those with hooks in windows of their own, a few at a time. The pods of a namespace that mount claims are held
 * until all of the namespace are known, so that those which share a claim, or a volume group, share a window.
 */
export class PodBackups {
  readonly #options: PodBackupsOptions;
  readonly #runner: HookRunner;
  readonly #findHooks: HookFinder;
  readonly #windows = new Set<Promise<void>>();
  #held: HookedPod[] = [];
  /** Pods without hooks and claims, which wait until their actions are run for several at a time. */
  #plain: HookedPod[] = [];

  constructor(options: PodBackupsOptions) {
    this.#options = options;
    this.#runner = new HookRunner({ ...options, repeatsPostHooks: true });
    this.#findHooks = createHookFinder(options.scope.backup.spec);
  }

  /** Backs up a listed pod, or holds it until the pods of its namespace are known. */
  async take(resource: ApiResource, pod: KubernetesObject): Promise<void> {
    const { backupper } = this.#options;
    if (this.#held[0]?.pod.metadata.namespace !== pod.metadata.namespace) {
      await this.#release();
    }
    if (!backupper.admits(resource, pod)) {
      return;
    }
    const hooked = { resource, pod, hooks: this.#hooksOf(pod) };
    if (hasHooks(hooked) || claimNamesOf(pod).length > 0) {
      this.#held.push(hooked);
    } else {
      this.#plain.push(hooked);
      if (this.#plain.length >= backupper.atATime) {
        await this.#releasePlain();
      }
    }
  }

  /**
   * Backs up the pods that come before the others, as one block in their order, with those that share a claim or a volume group with
   * them: they share their window.
   */
  async takeNamed(resource: ApiResource, pods: readonly KubernetesObject[]): Promise<void> {
    const { backupper } = this.#options;
    const named = pods
      .filter((pod) => backupper.admitsEarly(resource, pod))
      .map((pod) => ({ resource, pod, hooks: this.#hooksOf(pod) }));
    const namespaces = new Set(named.map(({ pod }) => pod.metadata.namespace));
    const block: HookedPod[] = [...named];
    for (const namespace of namespaces) {
      const theirs = named.filter(({ pod }) => pod.metadata.namespace === namespace);
      block.push(...(await this.#sharing(theirs)));
    }
    await (block.some(hasHooks) ? this.#openWindow(block) : this.#backUpPlainly(block));
  }

  /** Backs up a pod that another object pulls along: at once, in a window of its own if it has hooks. */
  async takePulled(resource: ApiResource, pod: KubernetesObject): Promise<void> {
    const hooked = { resource, pod, hooks: this.#hooksOf(pod) };
    await (hasHooks(hooked)
      ? backUpInWindow({ ...this.#options, runner: this.#runner }, [hooked], this.#options.signal)
      : this.#options.backupper.backUp(resource, pod));
  }

  /** Backs up what is held, and resolves when every window is closed. */
  async finish(): Promise<void> {
    await this.#release();
    await this.settle();
    this.#options.signal.throwIfAborted();
  }

  /** Resolves when every window is closed. Never rejects. */
  async settle(): Promise<void> {
    await Promise.all(this.#windows);
  }

  async #releasePlain(): Promise<void> {
    const plain = this.#plain;
    this.#plain = [];
    await this.#backUpPlainly(plain);
  }

  async #release(): Promise<void> {
    await this.#releasePlain();
    const held = this.#held;
    this.#held = [];
    if (!held.some(hasHooks)) {
      await this.#backUpPlainly(held);
      return;
    }
    const claimsOf = ({ pod }: HookedPod): readonly string[] => claimNamesOf(pod);
    for (const block of podBlocks(held, claimsOf, await this.#groupsOf(held))) {
      await (block.some(hasHooks) ? this.#openWindow(block) : this.#backUpPlainly(block));
    }
  }

  /** The other pods of a namespace that share claims or volume groups with these. */
  async #sharing(pods: readonly HookedPod[]): Promise<readonly HookedPod[]> {
    const { backupper } = this.#options;
    const [first] = pods;
    if (first === undefined || pods.every(({ pod }) => claimNamesOf(pod).length === 0)) {
      return [];
    }
    const { resource } = first;
    const known = new Set(pods.map(({ pod }) => pod.metadata.name));
    const others = (await this.#podsWithClaims(resource, first.pod.metadata.namespace))
      .filter((pod) => !known.has(pod.metadata.name))
      .map((pod) => ({ resource, pod, hooks: { pre: [], post: [], problems: [] } }));
    const all = [...pods, ...others];
    const blocks = podBlocks(all, ({ pod }) => claimNamesOf(pod), await this.#groupsOf(all));
    return blocks
      .filter((block) => block.some((one) => pods.includes(one)))
      .flatMap((block) => block.filter((one) => !pods.includes(one)))
      .filter(({ pod }) => backupper.admitsEarly(resource, pod))
      .map(({ pod }) => ({ resource, pod, hooks: this.#hooksOf(pod) }));
  }

  /** The pods of a namespace that mount claims and will be listed. Where pods cannot be listed, whoever does so for the backup reports it. */
  async #podsWithClaims(
    resource: ApiResource,
    namespace: string | undefined,
  ): Promise<readonly KubernetesObject[]> {
    const { cluster, selects, signal } = this.#options;
    const pods: KubernetesObject[] = [];
    try {
      for await (const pod of cluster.list(resource, { namespace, signal })) {
        if (claimNamesOf(pod).length > 0 && selects(referenceTo(resource, pod), pod)) {
          pods.push(pod);
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isServerUnreachable(error)) {
        throw error;
      }
    }
    return pods;
  }

  async #backUpPlainly(pods: readonly HookedPod[]): Promise<void> {
    const { backupper } = this.#options;
    for (const { resource, pod } of pods) {
      await backupper.untilRoom();
      backupper.begin(resource, pod);
    }
    await backupper.finish();
  }

  async #openWindow(block: readonly HookedPod[]): Promise<void> {
    const { hookedPods, signal, fail } = this.#options;
    while (this.#windows.size >= hookedPods) {
      await Promise.race(this.#windows);
    }
    signal.throwIfAborted();
    const window = backUpInWindow({ ...this.#options, runner: this.#runner }, block, signal)
      .catch(fail)
      .finally(() => this.#windows.delete(window));
    this.#windows.add(window);
  }

  /** Claim → its volume group. Where claims cannot be listed, whoever backs one up reports it. */
  async #groupsOf(held: readonly HookedPod[]): Promise<ReadonlyMap<string, string>> {
    const { cluster, scope, signal } = this.#options;
    const key = stringAt(scope.backup.spec, ['volumeGroupSnapshotLabelKey']) ?? '';
    const groups = new Map<string, string>();
    if (key === '' || !held.some(({ pod }) => claimNamesOf(pod).length > 0)) {
      return groups;
    }
    const namespace = held[0]?.pod.metadata.namespace;
    const options = { namespace, labelSelector: key, metadataOnly: true, signal };
    try {
      for await (const { metadata } of cluster.list(Resources.persistentVolumeClaims, options)) {
        const group = metadata.labels?.[key] ?? '';
        if (group !== '') {
          groups.set(metadata.name, group);
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isServerUnreachable(error)) {
        throw error;
      }
    }
    return groups;
  }

  #hooksOf(pod: KubernetesObject): HookedPod['hooks'] {
    const hooks = this.#findHooks(pod);
    const object = identifierOf(referenceTo(Resources.pods, pod));
    for (const message of hooks.problems) {
      this.#options.record.addWarning({ reason: 'InvalidHookAnnotation', message, object });
    }
    return hooks;
  }
}

function hasHooks({ hooks }: HookedPod): boolean {
  return hooks.pre.length + hooks.post.length > 0;
}
