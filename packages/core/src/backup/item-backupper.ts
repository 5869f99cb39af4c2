import type { ArchiveWriter } from '../archive/archive-writer.ts';
import { isLifeboatError, isServerUnreachable, messageOf } from '../errors.ts';
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
import type { BackupRecord } from './backup-record.ts';
import type { BackupScope } from './backup-scope.ts';
import type { HoldBackOptions } from './claim-volumes.ts';
import type { ItemActions, Pull } from './item-actions.ts';
import type { ItemUpdate, ItemUpdates } from './item-updates.ts';

/** Options of {@link ItemBackupper.backUp}. */
export interface BackUpOptions {
  /** Where the object and what it pulls along go; a claim that is held back goes nowhere yet. @default the archive */
  readonly store?: StoreObject | undefined;
  /** Whether an application stands still for it. @default false */
  readonly urgent?: boolean | undefined;
}

/** Puts an object into the archive, now or later. */
export type StoreObject = (
  resource: GroupVersionResource,
  object: KubernetesObject,
) => Promise<void>;

/** What an {@link ItemBackupper} works with. */
export interface ItemBackupperOptions {
  readonly cluster: Cluster;
  readonly archive: ArchiveWriter;
  readonly scope: BackupScope;
  readonly actions: ItemActions;
  /** What waits until operations have ended. */
  readonly updates: ItemUpdates;
  readonly record: BackupRecord;
  /** Whether listing has met an object already, so that pulling it along would store it twice. */
  readonly hasPassed: (reference: ObjectReference, object: KubernetesObject) => boolean;
  /** Takes a claim over when its volume has to be snapshotted first; `false` when it can be stored at once. */
  readonly holdBack: (claim: KubernetesObject, options: HoldBackOptions) => Promise<boolean>;
  /** Backs up a pod that another object pulls along. @default as any other object */
  readonly backUpPulledPod?:
    | ((resource: ApiResource, pod: KubernetesObject) => Promise<void>)
    | undefined;
  /** Told of each object that an action pulls along, before it is backed up. */
  readonly onPulledAlong?: ((pull: Pull) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Stores one object after another: item actions, the objects they pull along (before their parent, depth first), then the
 * object itself. What fails for one object becomes an issue of that object. Calls for different objects may overlap.
 */
export class ItemBackupper {
  readonly #options: ItemBackupperOptions;
  // Only what is pulled along: listing by itself never meets an object twice.
  readonly #pulled = new Set<string>();
  // The claims that wait for their snapshots.
  readonly #held = new Set<string>();

  constructor(options: ItemBackupperOptions) {
    this.#options = options;
  }

  /** Stores an object that a list yielded, unless it is not wanted or was pulled along before. */
  async backUpListed(resource: ApiResource, object: KubernetesObject): Promise<void> {
    if (this.admits(resource, object)) {
      await this.backUp(resource, object);
    }
  }

  /** Whether an object that a list yielded is to be stored: it is wanted, and was not pulled along before. To be asked once. */
  admits(resource: ApiResource, object: KubernetesObject): boolean {
    const { scope, signal } = this.#options;
    signal.throwIfAborted();
    return (
      !this.#pulled.delete(keyOf(referenceTo(resource, object))) &&
      scope.filter.exclusionOf(resource, object) === undefined
    );
  }

  /**
   * Whether an object is to be stored before it is listed: it is wanted, and nothing pulled it along before. The list that meets it, and
   * what would pull it along, then leave it alone.
   */
  admitsEarly(resource: ApiResource, object: KubernetesObject): boolean {
    const { scope, signal } = this.#options;
    signal.throwIfAborted();
    const key = keyOf(referenceTo(resource, object));
    const isAdmitted =
      !this.#pulled.has(key) && scope.filter.exclusionOf(resource, object) === undefined;
    if (isAdmitted) {
      this.#pulled.add(key);
    }
    return isAdmitted;
  }

  /** Stores an admitted object with what it pulls along. */
  async backUp(
    resource: ApiResource,
    object: KubernetesObject,
    options: BackUpOptions = {},
  ): Promise<void> {
    const { actions, updates, signal, holdBack } = this.#options;
    const { store = (...item) => this.store(...item), urgent } = options;
    signal.throwIfAborted();
    const reference = referenceTo(resource, object);
    await this.#reportFailure(reference, async () => {
      const { item, handledBy } = await actions.run(reference, object, {
        pullAlong: (pull) => this.#pullAlong(pull, options),
      });
      const isHeld =
        groupResourceOf(resource) === 'persistentvolumeclaims' &&
        (await holdBack(item, { urgent, handledBy }));
      if (isHeld) {
        this.#held.add(keyOf(reference));
      } else if (!updates.holdsBack(reference)) {
        await store(resource, item);
      }
    });
  }

  /** Stores an object that has waited for operations, as it stands now, with what it pulls along. */
  async backUpUpdated(update: ItemUpdate): Promise<void> {
    await this.#reportFailure(update.reference, () => this.#storeUpdated(update));
  }

  /** Stores an object as it stands, without actions: what was held back, and what a snapshot brings along. */
  async store(resource: GroupVersionResource, object: KubernetesObject): Promise<void> {
    this.#options.signal.throwIfAborted();
    await this.#options.archive.writeObject(resource, object);
    this.#options.record.addStored(identifierOf(referenceTo(resource, object)), object);
  }

  /** Stores an object as it stands; what fails for it alone becomes an issue. */
  async storeOrReport(resource: GroupVersionResource, object: KubernetesObject): Promise<void> {
    await this.#reportFailure(referenceTo(resource, object), () => this.store(resource, object));
  }

  async #reportFailure(reference: ObjectReference, work: () => Promise<void>): Promise<void> {
    const { record, signal } = this.#options;
    try {
      await work();
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

  async #storeUpdated({ reference, parent, action, met }: ItemUpdate): Promise<void> {
    const { actions, cluster, record, scope, signal, onPulledAlong } = this.#options;
    signal.throwIfAborted();
    const key = keyOf(reference);
    this.#pulled.add(key);
    const resource = scope.findResource(groupResourceOf(reference));
    const object =
      resource && (await cluster.get({ ...reference, version: resource.version }, { signal }));
    if (resource === undefined || object === undefined) {
      const message = `item action ${action} asks for it as it is after its operation, but it does not exist`;
      record.addWarning({ reason: 'NotFound', message, object: identifierOf(reference) });
      return;
    }
    if (this.#held.has(key) || record.hasStored(object)) {
      const message = `item action ${action} asks for it as it is after its operation, but it was taken before; it is in the backup as it was then`;
      record.addWarning({ reason: 'ItemNotUpdated', message, object: identifierOf(reference) });
    } else if (scope.filter.exclusionOf(resource, object, { mustInclude: true }) === undefined) {
      if (!met) {
        onPulledAlong?.({ reference, parent, action });
      }
      const { item } = await actions.run(reference, object, {
        updating: true,
        pullAlong: (pull) => this.#pullAlong(pull, {}),
      });
      await this.store(resource, item);
    }
  }

  async #pullAlong(pull: Pull, options: BackUpOptions): Promise<void> {
    const { cluster, record, scope, signal, hasPassed, onPulledAlong } = this.#options;
    const { reference, parent } = pull;
    const resource = scope.findResource(groupResourceOf(reference));
    const key = keyOf(reference);
    if (this.#pulled.has(key)) {
      return;
    }
    // Taken before it is read, so that of two that pull it along at the same time one does.
    this.#pulled.add(key);
    const object =
      resource && (await cluster.get({ ...reference, version: resource.version }, { signal }));
    if (resource === undefined || object === undefined) {
      this.#pulled.delete(key);
      record.addWarning({
        reason: 'NotFound',
        message: `${describeObject(parent)} refers to it, but it does not exist`,
        object: identifierOf(reference),
      });
      return;
    }
    // A list that met it meanwhile has left it to this call.
    const isLeftToUs = !this.#pulled.has(key);
    if (!isLeftToUs && hasPassed(reference, object)) {
      this.#pulled.delete(key);
    } else if (scope.filter.exclusionOf(resource, object) === undefined) {
      onPulledAlong?.(pull);
      await this.#backUpPulled(resource, object, options);
    }
  }

  async #backUpPulled(
    resource: ApiResource,
    object: KubernetesObject,
    options: BackUpOptions,
  ): Promise<void> {
    const { backUpPulledPod } = this.#options;
    await (backUpPulledPod !== undefined && groupResourceOf(resource) === 'pods'
      ? backUpPulledPod(resource, object)
      : this.backUp(resource, object, options));
  }
}

function keyOf(reference: ObjectReference): string {
  return `${groupResourceOf(reference)}/${reference.namespace ?? ''}/${reference.name}`;
}
