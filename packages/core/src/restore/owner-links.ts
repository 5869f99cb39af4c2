import { messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import { type JsonObject, jsonEquals } from '../model/json.ts';
import {
  identifierOf,
  type KubernetesObject,
  type ObjectReference,
  type OwnerReference,
} from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { AfterCreation, ExistingItem } from './after-creation.ts';
import type { RestoreRecord } from './restore-record.ts';
import { retryConflicts } from './retry-conflicts.ts';
import { writeDeadline } from './write-deadline.ts';

/** What {@link OwnerLinks} works with. */
export interface OwnerLinksOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly record: RestoreRecord;
  /** Objects that are linked at a time. */
  readonly concurrency: number;
}

interface Owner {
  readonly uid: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly namespace: string | undefined;
}

interface OwnedObject {
  readonly reference: ObjectReference;
  readonly owners: readonly OwnerReference[];
}

/**
 * The owner references of the objects of a restore, by the uids of the backup, until the owners are there. Grows with the names of
 * the objects.
 */
export class OwnerLinks {
  readonly #options: OwnerLinksOptions;
  readonly #ownerOf = new Map<string, Owner>();
  readonly #owned: OwnedObject[] = [];

  constructor(options: OwnerLinksOptions) {
    this.#options = options;
  }

  /** Takes in an object that was created. */
  readonly afterCreation: AfterCreation = async ({ reference, created, itemFromBackup }) => {
    this.#add(reference, created, itemFromBackup);
    return [];
  };

  /** Takes in an object that was there already. */
  readonly onExisting = ({ reference, existing, itemFromBackup }: ExistingItem): void => {
    this.#add(reference, existing, itemFromBackup);
  };

  #add(
    reference: ObjectReference,
    object: KubernetesObject,
    itemFromBackup: KubernetesObject,
  ): void {
    const { uid: oldUid, ownerReferences: owners = [] } = itemFromBackup.metadata;
    const { uid, name, namespace } = object.metadata;
    if (oldUid !== undefined && uid !== undefined) {
      this.#ownerOf.set(oldUid, { uid, name, namespace, apiVersion: object.apiVersion });
    }
    if (owners.length > 0) {
      this.#owned.push({ reference, owners });
    }
  }

  /**
   * Points each object at its owners, as far as the restore has them: with it the garbage collector deletes what a deleted owner owned.
   * Only references are added; one that fails is a warning of the object. Rejects only when aborted.
   */
  async link(signal: AbortSignal): Promise<void> {
    const { concurrency } = this.#options;
    const link = async (owned: OwnedObject, itemSignal: AbortSignal): Promise<void> => {
      const owners = this.#restoredOwners(owned);
      if (owners.length > 0) {
        await this.#addOwners(owned.reference, owners, itemSignal);
      }
    };
    await runAll(this.#owned, link, { concurrency, signal });
  }

  #restoredOwners({ reference, owners }: OwnedObject): readonly OwnerReference[] {
    return owners.flatMap((reference_) => {
      const owner = this.#ownerOf.get(reference_.uid);
      // The garbage collector deletes an object whose owner it cannot find where it has to be.
      const isReachable = owner?.namespace === undefined || owner.namespace === reference.namespace;
      return owner === undefined || !isReachable
        ? []
        : [{ ...reference_, apiVersion: owner.apiVersion, name: owner.name, uid: owner.uid }];
    });
  }

  async #addOwners(
    reference: ObjectReference,
    owners: readonly OwnerReference[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await retryConflicts(() => this.#patch(reference, owners, signal));
    } catch (error) {
      signal.throwIfAborted();
      this.#options.record.addIssue({
        severity: 'warning',
        reason: 'OwnersNotLinked',
        message: `it is not linked to its owners: ${messageOf(error)}`,
        object: identifierOf(reference),
      });
    }
  }

  async #patch(
    reference: ObjectReference,
    owners: readonly OwnerReference[],
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster, clock } = this.#options;
    const object = await cluster.get(reference, { signal });
    const patch = object && ownersPatch(object, owners);
    if (patch === undefined) {
      return;
    }
    signal.throwIfAborted();
    using deadline = writeDeadline(clock);
    await cluster.patch(reference, { type: 'merge', patch }, { signal: deadline.signal });
  }
}

/**
 * The conditional patch that adds owners to an object; `undefined` when it has them. A controller that the object has already, as one
 * that adopted it, stays the only one.
 */
export function ownersPatch(
  object: KubernetesObject,
  owners: readonly OwnerReference[],
): JsonObject | undefined {
  const { ownerReferences: present = [], resourceVersion = '' } = object.metadata;
  const isControlled = present.some(({ controller }) => controller === true);
  const missing = owners
    .filter(({ uid }) => !present.some((reference) => reference.uid === uid))
    .map((owner) => (isControlled && owner['controller'] === true ? asMember(owner) : owner));
  const ownerReferences = [...present, ...missing];
  return jsonEquals(ownerReferences, present)
    ? undefined
    : { metadata: { resourceVersion, ownerReferences } };
}

function asMember(owner: OwnerReference): OwnerReference {
  return { ...owner, controller: false };
}
