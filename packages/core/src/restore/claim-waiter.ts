import { withDeadline } from '../internal/with-deadline.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { AwaitedClaim } from './awaited-claim.ts';
import { type ClaimStep, claimStepOf, claimsUsedBy } from './claim-step.ts';

/** How the wait for a claim ended. */
export type ClaimEnd = Exclude<ClaimStep, 'Pending'> | 'Deleted' | 'TimedOut';

/** What {@link waitForClaims} works with. */
export interface WaitForClaimsOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly restoreName: string;
  readonly claims: readonly AwaitedClaim[];
  readonly timeoutMs: number;
  /** Called once for every claim, as soon as its wait is over, with the claim as it was last seen. */
  readonly onEnd: (
    claim: AwaitedClaim,
    end: ClaimEnd,
    object: KubernetesObject | undefined,
  ) => void;
  readonly signal: AbortSignal;
}

/**
 * Waits, through one watch, until every claim has a volume, is waiting for a pod that nobody has restored, is beyond hope,
 * or the time is up.
 */
export async function waitForClaims(options: WaitForClaimsOptions): Promise<void> {
  const { cluster, clock, restoreName, timeoutMs, signal, onEnd } = options;
  const wait = new ClaimWait(options);
  using deadline = withDeadline(signal, timeoutMs, clock);
  try {
    const events = cluster.watch(Resources.persistentVolumeClaims, {
      labelSelector: `${VeleroLabel.restoreName}=${labelValueOf(restoreName)}`,
      signal: deadline.signal,
    });
    for await (const event of events) {
      if (event.type === 'synced') {
        await wait.synced(deadline.signal);
      } else if (event.type === 'deleted') {
        wait.deleted(event.object);
      } else if (event.type !== 'restarted') {
        wait.seen(event.object);
      }
      if (wait.pending.length === 0) {
        return;
      }
    }
  } catch (error) {
    if (!deadline.expired) {
      throw error;
    }
  }
  for (const claim of wait.pending) {
    onEnd(claim, 'TimedOut', undefined);
  }
}

/** The claims that are still waited for, by name, and what was last seen of them. */
class ClaimWait {
  readonly #options: WaitForClaimsOptions;
  readonly #pending: Map<string, AwaitedClaim>;
  readonly #seen = new Map<string, KubernetesObject>();
  readonly #consumed = new Map<string, ReadonlySet<string>>();

  constructor(options: WaitForClaimsOptions) {
    this.#options = options;
    this.#pending = new Map(
      options.claims.map((claim) => [keyOf(claim.namespace, claim.name), claim]),
    );
  }

  get pending(): readonly AwaitedClaim[] {
    return [...this.#pending.values()];
  }

  seen(object: KubernetesObject): void {
    const key = keyOf(object.metadata.namespace ?? '', object.metadata.name);
    const claim = this.#pending.get(key);
    if (claim === undefined) {
      return;
    }
    this.#seen.set(key, object);
    const consumed = this.#consumed.get(claim.namespace);
    const step = claimStepOf({
      claim: object,
      waitsForConsumer: claim.waitsForConsumer,
      // Until the pods were looked at, somebody may be using it.
      hasConsumer: consumed === undefined || consumed.has(claim.name),
    });
    if (step !== 'Pending') {
      this.#end(key, claim, step);
    }
  }

  deleted(object: KubernetesObject): void {
    const key = keyOf(object.metadata.namespace ?? '', object.metadata.name);
    const claim = this.#pending.get(key);
    if (claim !== undefined) {
      this.#end(key, claim, 'Deleted');
    }
  }

  /** Everything that exists was seen: what was not is gone, and what waits for a consumer can be told. */
  async synced(signal: AbortSignal): Promise<void> {
    for (const [key, claim] of [...this.#pending]) {
      const object = this.#seen.get(key);
      if (object === undefined) {
        this.#end(key, claim, 'Deleted');
      } else if (claim.waitsForConsumer) {
        await this.#lookAtPods(claim.namespace, signal);
        this.seen(object);
      }
    }
  }

  async #lookAtPods(namespace: string, signal: AbortSignal): Promise<void> {
    if (this.#consumed.has(namespace)) {
      return;
    }
    const names = new Set<string>();
    for await (const pod of this.#options.cluster.list(Resources.pods, { namespace, signal })) {
      for (const name of claimsUsedBy(pod)) {
        names.add(name);
      }
    }
    this.#consumed.set(namespace, names);
  }

  #end(key: string, claim: AwaitedClaim, end: ClaimEnd): void {
    this.#pending.delete(key);
    this.#options.onEnd(claim, end, this.#seen.get(key));
  }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
