import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import type { DeletionObserver } from '../internal/deletion-observer.ts';
import type { Pause } from '../internal/pause.ts';
import type { RestoreAction } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import type { JsonObject } from '../model/json.ts';
import {
  describeObject,
  type GroupVersionResource,
  identifierOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ItemDecision } from './decide-item.ts';
import { waitUntilGone } from './wait-until-gone.ts';
import { WriteDeadlines } from './write-deadline.ts';

/** What became of an object. */
export interface ItemOutcome {
  readonly action: RestoreAction;
  readonly reason?: string | undefined;
  readonly issue?: Issue | undefined;
  /** The object as the API server returned it; present when it was created. */
  readonly created?: KubernetesObject | undefined;
}

/** What {@link ItemWriter} works with. */
export interface ItemWriterOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** How long an object that is created again may take to go away first. */
  readonly recreateTimeoutMs: number;
  readonly deletions: DeletionObserver;
  /** Has begun the work in which objects are written. */
  readonly pool: Pick<AdaptivePool, 'pause'>;
}

type DecisionTo<A extends ItemDecision['action']> = Extract<ItemDecision, { readonly action: A }>;

/** Writes what was decided. A write that has begun is finished even when the run is aborted meanwhile. */
export class ItemWriter {
  readonly #options: ItemWriterOptions;
  readonly #deadlines: WriteDeadlines;

  constructor(options: ItemWriterOptions) {
    this.#options = options;
    this.#deadlines = new WriteDeadlines(options.clock);
  }

  /** Creates an object. */
  async create(
    resource: GroupVersionResource,
    manifest: KubernetesManifest,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const { cluster } = this.#options;
    signal.throwIfAborted();
    using deadline = this.#deadlines.begin();
    return await cluster.create(resource, manifest, { signal: deadline.signal });
  }

  /**
   * Patches an object that exists. A patch that the API server refuses is a warning, and the fallback is patched instead; a failure of
   * that rejects.
   */
  async update(
    reference: ObjectReference,
    { patch, fallback, reason }: DecisionTo<'update'>,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    try {
      await this.#patch(reference, patch, signal);
      return { action: 'updated', reason };
    } catch (error) {
      if (fallback === undefined || !isRefusal(error)) {
        throw error;
      }
      const message = `it exists and differs, and could not be made as in the backup: ${messageOf(error)}`;
      await this.#patch(reference, fallback, signal);
      const object = identifierOf(reference);
      const issue: Issue = { severity: 'warning', reason: 'UpdateRefused', message, object };
      return { action: 'skipped', reason: message, issue };
    }
  }

  /** Leaves an object as it is, but for its labels. */
  async skip(
    reference: ObjectReference | undefined,
    { reason, labels }: DecisionTo<'skip'>,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    if (reference !== undefined && labels !== undefined) {
      await this.#patch(reference, labels, signal);
    }
    return { action: 'skipped', reason };
  }

  /**
   * Deletes an object and creates it again once it has gone; what it owns stays and is adopted.
   *
   * @throws {LifeboatError} code Timeout when it does not go away; it is then still being deleted.
   */
  async recreate(
    reference: ObjectReference,
    manifest: KubernetesManifest,
    { uid, reason }: DecisionTo<'recreate'>,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    await this.#delete(reference, uid, signal);
    const { recreateTimeoutMs: timeoutMs, pool } = this.#options;
    // One that does not go holds back no other.
    const pause: Pause = (wait) => pool.pause(wait);
    const waiting = { ...this.#options, timeoutMs, signal, pause };
    if (!(await waitUntilGone(reference, uid, waiting))) {
      const target = describeObject(reference);
      throw new LifeboatError(
        `restore: ${target} was deleted to be created again and was still there after ${timeoutMs} ms; see which finalizers hold it back, then restore again`,
        { code: 'Timeout', operation: 'restore', target },
      );
    }
    const created = await this.create(reference, manifest, signal);
    return { action: 'recreated', reason, created };
  }

  async #delete(
    reference: ObjectReference,
    uid: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster } = this.#options;
    signal.throwIfAborted();
    using deadline = this.#deadlines.begin();
    await cluster.delete(reference, {
      uid,
      propagationPolicy: 'Orphan',
      signal: deadline.signal,
    });
  }

  async #patch(reference: ObjectReference, patch: JsonObject, signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    signal.throwIfAborted();
    using deadline = this.#deadlines.begin();
    await cluster.patch(reference, { type: 'merge', patch }, { signal: deadline.signal });
  }
}

// Something about the object, as opposed to a server that is out of order.
function isRefusal(error: unknown): boolean {
  return (
    isLifeboatError(error, 'Invalid') ||
    isLifeboatError(error, 'Forbidden') ||
    isLifeboatError(error, 'Conflict')
  );
}
