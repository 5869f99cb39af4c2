import type { ArchiveWriter } from '../archive/archive-writer.ts';
import { isLifeboatError, isServerUnreachable, messageOf } from '../errors.ts';
import {
  type ApiResource,
  type GroupVersionResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  type ObjectReference,
  referenceTo,
} from '../model/kubernetes.ts';
import type { HoldBackOptions } from './claim-volumes.ts';
import type { ActedOnItem, ItemActions } from './item-actions.ts';
import type { ItemUpdate, ItemUpdates } from './item-updates.ts';
import { ItemsAhead } from './items-ahead.ts';
import { itemKey, PulledItems, type PulledItemsOptions, type Turn } from './pulled-items.ts';

/** What an {@link ItemBackupper} works with. */
export interface ItemBackupperOptions
  extends Omit<PulledItemsOptions, 'ahead' | 'isDone' | 'takesLong' | 'backUp'> {
  readonly archive: ArchiveWriter;
  readonly actions: ItemActions;
  /** For how many objects actions may run at a time. @default 1 */
  readonly itemActions?: number | undefined;
  /** What waits until operations have ended. */
  readonly updates: ItemUpdates;
  /** Takes a claim over when its volume has to be snapshotted first; `false` when it can be stored at once. */
  readonly holdBack: (claim: KubernetesObject, options: HoldBackOptions) => Promise<boolean>;
  /** Told of what ends the run while nobody waits for the object for which it happens. */
  readonly fail: (error: unknown) => void;
}

const noTurn: Turn = {};

/**
 * Stores one object after another: item actions, the objects they pull along (before their parent, depth first), then the
 * object itself. What fails for one object becomes an issue of that object. Calls for different objects may overlap.
 *
 * Where actions may take long, those of the next objects run meanwhile. All that they ask for waits until it is their object's turn, so
 * that the archive, the issues and what is held back are as if one object came after another.
 */
export class ItemBackupper {
  readonly #options: ItemBackupperOptions;
  readonly #pulled: PulledItems;
  // The claims that wait for their snapshots.
  readonly #held = new Set<string>();
  readonly #ahead: ItemsAhead<Turn>;

  /** For how many objects actions run at a time. One unless there are actions that may take long. */
  readonly atATime: number;

  constructor(options: ItemBackupperOptions) {
    this.#options = options;
    this.atATime = options.actions.mayTakeLong ? (options.itemActions ?? 1) : 1;
    this.#ahead = new ItemsAhead(this.atATime);
    this.#pulled = new PulledItems({
      ...{ ...options, ahead: this.#ahead },
      isDone: (reference, object) => this.#isDone(reference, object),
      takesLong: (resource) => this.takesLong(resource),
      backUp: (...item) => this.#process(...item),
    });
  }

  /** Whether actions may take long for objects of a resource: such are to be {@link ItemBackupper.begin begun}. */
  takesLong(resource: GroupVersionResource): boolean {
    return this.#options.actions.takesLong(resource);
  }

  /** Stores an object that a list yielded, unless it is not wanted or was pulled along before. */
  async backUpListed(resource: ApiResource, object: KubernetesObject): Promise<void> {
    if (this.admits(resource, object)) {
      await this.#process(resource, object, noTurn);
    }
  }

  /**
   * Begins to back up an admitted object, which is stored after all that were begun before it. Wait for {@link ItemBackupper.untilRoom} in
   * between, and for {@link ItemBackupper.finish} in the end.
   */
  begin(resource: ApiResource, object: KubernetesObject): void {
    const key = itemKey(referenceTo(resource, object));
    const work = (turn: Promise<Turn>): Promise<void> => this.#process(resource, object, turn);
    this.#ahead.beginInOrder(key, work, { turn: {}, fail: this.#options.fail });
  }

  /** Resolves when another object may be begun. */
  async untilRoom(): Promise<void> {
    await this.#ahead.untilRoom();
    this.#options.signal.throwIfAborted();
  }

  /** Resolves when every object that was begun is stored. */
  async finish(): Promise<void> {
    await this.settle();
    this.#options.signal.throwIfAborted();
  }

  /** Resolves when nothing is done any more for an object that was begun. Never rejects. */
  async settle(): Promise<void> {
    await this.#ahead.finish();
  }

  /** Whether an object that a list yielded is to be stored: it is wanted, and was not pulled along before. To be asked once. */
  admits(resource: ApiResource, object: KubernetesObject): boolean {
    const { scope, signal } = this.#options;
    signal.throwIfAborted();
    return (
      !this.#pulled.release(referenceTo(resource, object)) &&
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
    return (
      scope.filter.exclusionOf(resource, object) === undefined &&
      this.#pulled.reserve(referenceTo(resource, object))
    );
  }

  /** Whether an object that no list meets was pulled along before, and is stored or was kept out. To be asked once. */
  hasPulledAlong(resource: GroupVersionResource, object: KubernetesObject): boolean {
    const reference = referenceTo(resource, object);
    return this.#pulled.release(reference) && this.#isDone(reference, object);
  }

  /** Stores an admitted object with what it pulls along. */
  async backUp(
    resource: ApiResource,
    object: KubernetesObject,
    options: Turn = noTurn,
  ): Promise<void> {
    this.#options.signal.throwIfAborted();
    await this.#process(resource, object, options);
  }

  /** Stores an object that has waited for operations, as it stands now, with what it pulls along. */
  async backUpUpdated(update: ItemUpdate): Promise<void> {
    try {
      await this.#storeUpdated(update);
    } catch (error) {
      this.#reportFailure(update.reference, error);
    }
  }

  /** Stores an object as it stands, without actions: what was held back, and what a snapshot brings along. */
  async store(resource: GroupVersionResource, object: KubernetesObject): Promise<void> {
    this.#options.signal.throwIfAborted();
    await this.#options.archive.writeObject(resource, object);
    this.#options.record.addStored(identifierOf(referenceTo(resource, object)), object);
  }

  /** Stores an object as it stands; what fails for it alone becomes an issue. */
  async storeOrReport(resource: GroupVersionResource, object: KubernetesObject): Promise<void> {
    try {
      await this.store(resource, object);
    } catch (error) {
      this.#reportFailure(referenceTo(resource, object), error);
    }
  }

  /** Runs the actions on an object, and does the rest when it is its turn. */
  async #process(
    resource: ApiResource,
    object: KubernetesObject,
    turn: Turn | Promise<Turn>,
  ): Promise<void> {
    const reference = referenceTo(resource, object);
    try {
      await this.#actAndStore(reference, object, turn);
    } catch (error) {
      this.#reportFailure(reference, error);
    }
  }

  async #actAndStore(
    reference: ObjectReference,
    object: KubernetesObject,
    turn: Turn | Promise<Turn>,
  ): Promise<void> {
    const { updates, signal, holdBack } = this.#options;
    const acted = await this.#act(reference, object, turn);
    const { store, urgent } = await turn;
    signal.throwIfAborted();
    if (acted === undefined) {
      return;
    }
    const { item, handledBy } = acted;
    const isHeld =
      groupResourceOf(reference) === 'persistentvolumeclaims' &&
      (await holdBack(item, { urgent, handledBy }));
    if (isHeld) {
      this.#held.add(itemKey(reference));
    } else if (!updates.holdsBack(reference)) {
      await (store === undefined ? this.store(reference, item) : store(reference, item));
    }
  }

  /** Settles when it is the object's turn, even if an action has failed before. */
  async #act(
    reference: ObjectReference,
    object: KubernetesObject,
    turn: Turn | Promise<Turn>,
    updating = false,
  ): Promise<ActedOnItem | undefined> {
    try {
      return await this.#options.actions.run(reference, object, {
        ...{ updating, untilTurn: async () => turn },
        beginPull: (pull) => this.#pulled.begin(pull),
        pullAlong: async (pull) => this.#pulled.pullAlong(pull, await turn),
      });
    } finally {
      await turn;
    }
  }

  /** Turns what failed for one object into an issue, unless it concerns all of them: then it is thrown. */
  #reportFailure(reference: ObjectReference, error: unknown): void {
    const { record, signal } = this.#options;
    signal.throwIfAborted();
    if (isServerUnreachable(error)) {
      throw error;
    }
    const reason = isLifeboatError(error) ? error.code : 'ItemFailed';
    record.addError({ reason, message: messageOf(error), object: identifierOf(reference) }, error);
  }

  async #storeUpdated({ reference, parent, action, met }: ItemUpdate): Promise<void> {
    const { cluster, record, scope, signal, onPulledAlong } = this.#options;
    signal.throwIfAborted();
    this.#pulled.reserve(reference);
    if (record.hasSkipped(identifierOf(reference))) {
      return;
    }
    const resource = scope.findResource(groupResourceOf(reference));
    const object =
      resource && (await cluster.get({ ...reference, version: resource.version }, { signal }));
    if (resource === undefined || object === undefined) {
      const message = `item action ${action} asks for it as it is after its operation, but it does not exist`;
      record.addWarning({ reason: 'NotFound', message, object: identifierOf(reference) });
      return;
    }
    if (this.#isTaken(reference, object)) {
      const message = `item action ${action} asks for it as it is after its operation, but it was taken before; it is in the backup as it was then`;
      record.addWarning({ reason: 'ItemNotUpdated', message, object: identifierOf(reference) });
    } else if (scope.filter.exclusionOf(resource, object, { mustInclude: true }) === undefined) {
      if (!met) {
        onPulledAlong?.({ reference, parent, action });
      }
      const acted = await this.#act(reference, object, {}, true);
      if (acted !== undefined) {
        await this.store(resource, acted.item);
      }
    }
  }

  /** Whether nothing is to be done any more for an object: it is taken, or an action keeps it out. */
  #isDone(reference: ObjectReference, object: KubernetesObject): boolean {
    const { record } = this.#options;
    return this.#isTaken(reference, object) || record.hasSkipped(identifierOf(reference));
  }

  /** Whether an object is in the archive, or waits for its snapshot to go there. */
  #isTaken(reference: ObjectReference, object: KubernetesObject): boolean {
    return this.#held.has(itemKey(reference)) || this.#options.record.hasStored(object);
  }
}
