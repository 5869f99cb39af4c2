import type { ArchiveWriter } from '../archive/archive-writer.ts';
import { isLifeboatError, isServerUnreachable, messageOf } from '../errors.ts';
import { compareCodePoints } from '../model/json.ts';
import {
  type ApiResource,
  describeObject,
  type GroupVersionResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  type ObjectReference,
  referenceTo,
} from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import type { BackupRecord } from './backup-record.ts';
import type { BackupScope } from './backup-scope.ts';

/** What an {@link ItemBackupper} works with. */
export interface ItemBackupperOptions {
  readonly cluster: Cluster;
  readonly archive: ArchiveWriter;
  readonly scope: BackupScope;
  readonly actions: readonly BackupItemAction[];
  readonly record: BackupRecord;
  /** Whether listing has met an object already, so that pulling it along would store it twice. */
  readonly hasPassed: (reference: ObjectReference, object: KubernetesObject) => boolean;
  /** Takes a claim over when its volume has to be snapshotted first; `false` when it can be stored at once. */
  readonly holdBack: (claim: KubernetesObject) => Promise<boolean>;
  readonly signal: AbortSignal;
}

/**
 * Stores one object after another: item actions, the objects they pull along (before their parent, depth first), then the
 * object itself. What fails for one object becomes an issue of that object.
 */
export class ItemBackupper {
  readonly #options: ItemBackupperOptions;
  readonly #actions: readonly BackupItemAction[];
  // Only what is pulled along: listing by itself never meets an object twice.
  readonly #pulled = new Set<string>();

  constructor(options: ItemBackupperOptions) {
    this.#options = options;
    this.#actions = options.actions.toSorted((left, right) =>
      compareCodePoints(left.name, right.name),
    );
  }

  /** Stores an object that a list yielded, unless it was pulled along before. */
  async backUpListed(resource: ApiResource, object: KubernetesObject): Promise<void> {
    if (!this.#pulled.delete(keyOf(referenceTo(resource, object)))) {
      await this.#backUp(resource, object);
    }
  }

  /** Stores an object as it stands, without actions: what was held back, and what a snapshot brings along. */
  async store(resource: GroupVersionResource, object: KubernetesObject): Promise<void> {
    this.#options.signal.throwIfAborted();
    await this.#options.archive.writeObject(resource, object);
    this.#options.record.addStored(identifierOf(referenceTo(resource, object)), object);
  }

  async #backUp(resource: ApiResource, object: KubernetesObject): Promise<void> {
    const { record, scope, signal, holdBack } = this.#options;
    signal.throwIfAborted();
    if (scope.filter.exclusionOf(resource, object) !== undefined) {
      return;
    }
    const reference = referenceTo(resource, object);
    try {
      const item = await this.#runActions(reference, object);
      const isHeld =
        groupResourceOf(resource) === 'persistentvolumeclaims' && (await holdBack(item));
      if (!isHeld) {
        await this.store(resource, item);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isServerUnreachable(error)) {
        throw error;
      }
      const reason = isLifeboatError(error) ? error.code : 'ItemFailed';
      record.addError(
        { reason, message: messageOf(error), object: identifierOf(reference) },
        error,
      );
    }
  }

  async #runActions(
    reference: ObjectReference,
    object: KubernetesObject,
  ): Promise<KubernetesObject> {
    const { cluster, record, scope, signal } = this.#options;
    const { backup } = scope;
    let item = object;
    for (const action of this.#actions) {
      const { resources } = action.appliesTo;
      if (resources !== undefined && !resources.includes(groupResourceOf(reference))) {
        continue;
      }
      const output = await action.execute({ item, backup, cluster, signal });
      item = output.item ?? item;
      for (const issue of output.issues ?? []) {
        record.addIssue(issue);
      }
      for (const additional of output.additionalItems ?? []) {
        await this.#pullAlong(additional, reference);
      }
    }
    return item;
  }

  async #pullAlong(reference: ObjectReference, parent: ObjectReference): Promise<void> {
    const { cluster, record, scope, signal, hasPassed } = this.#options;
    const resource = scope.findResource(groupResourceOf(reference));
    const key = keyOf(reference);
    if (this.#pulled.has(key)) {
      return;
    }
    const object =
      resource && (await cluster.get({ ...reference, version: resource.version }, { signal }));
    if (resource === undefined || object === undefined) {
      record.addWarning({
        reason: 'NotFound',
        message: `${describeObject(parent)} refers to it, but it does not exist`,
        object: identifierOf(reference),
      });
      return;
    }
    if (!hasPassed(reference, object)) {
      this.#pulled.add(key);
      await this.#backUp(resource, object);
    }
  }
}

function keyOf(reference: ObjectReference): string {
  return `${groupResourceOf(reference)}/${reference.namespace ?? ''}/${reference.name}`;
}
