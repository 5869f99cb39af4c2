import { isLifeboatError } from '../errors.ts';
import type { RestoreAction } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import {
  type GroupVersionResource,
  identifierOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import { compareWithExisting } from './existing-object.ts';
import { writeDeadline } from './write-deadline.ts';

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
  readonly restore: Restore;
}

/** Creates restored objects, and leaves alone what is there already. */
export class ItemWriter {
  readonly #options: ItemWriterOptions;

  constructor(options: ItemWriterOptions) {
    this.#options = options;
  }

  /** Creates an object; when there is one of that name, compares with it instead. */
  async createOrCompare(
    reference: ObjectReference,
    manifest: KubernetesManifest,
    itemFromBackup: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    try {
      const created = await this.create(reference, manifest, signal);
      return { action: 'created', created };
    } catch (error) {
      // A Service whose node port is taken is refused as Invalid, even if it is taken by that very Service.
      if (!isLifeboatError(error, 'AlreadyExists') && !isLifeboatError(error, 'Invalid')) {
        throw error;
      }
      const existing = await this.#options.cluster.get(reference, { signal });
      if (existing === undefined) {
        throw error;
      }
      return this.compare(reference, existing, manifest, itemFromBackup, signal);
    }
  }

  /** Creates an object. The write is finished even when the run is aborted meanwhile. */
  async create(
    resource: GroupVersionResource,
    manifest: KubernetesManifest,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const { cluster, clock } = this.#options;
    signal.throwIfAborted();
    using deadline = writeDeadline(clock);
    return await cluster.create(resource, manifest, { signal: deadline.signal });
  }

  /** Decides about an object that is there already: only a ServiceAccount is changed, and only added to. */
  async compare(
    reference: ObjectReference,
    existing: KubernetesObject,
    manifest: KubernetesManifest,
    itemFromBackup: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    const { cluster, clock, restore } = this.#options;
    const comparison = compareWithExisting({ existing, manifest, itemFromBackup, restore });
    switch (comparison.kind) {
      case 'equal':
        return { action: 'skipped', reason: 'it exists and is the same' };
      case 'different':
        return {
          action: 'skipped',
          reason: 'it exists and differs',
          issue: {
            severity: 'warning',
            reason: 'ExistsAndDiffers',
            message:
              'it exists in the target cluster and differs from the backup; it was left as it is',
            object: identifierOf(reference),
          },
        };
      case 'mergeable': {
        signal.throwIfAborted();
        using deadline = writeDeadline(clock);
        await cluster.patch(
          reference,
          { type: 'merge', patch: comparison.patch },
          { signal: deadline.signal },
        );
        return { action: 'updated', reason: 'it exists; what it lacked was added' };
      }
    }
  }
}
