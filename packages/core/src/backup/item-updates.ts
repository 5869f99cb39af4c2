import { LifeboatError } from '../errors.ts';
import { describeObject, groupResourceOf, type ObjectReference } from '../model/kubernetes.ts';

/** An object that is stored when all operations have ended. */
export interface ItemUpdate {
  readonly reference: ObjectReference;
  /** The object whose action asks for it. */
  readonly parent: ObjectReference;
  /** The name of that action. */
  readonly action: string;
  /** Whether it would have been stored before. */
  readonly met: boolean;
}

/** The objects that wait until the operations of a backup have ended: their names alone, and no more than a given number. */
export class ItemUpdates {
  readonly #maximum: number;
  readonly #updates = new Map<string, ItemUpdate>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Lets everything go that waits, in the order in which it was asked for. */
  take(): readonly ItemUpdate[] {
    const updates = [...this.#updates.values()];
    this.#updates.clear();
    return updates;
  }

  /**
   * Makes an object wait. One that does already goes on waiting.
   *
   * @throws {LifeboatError} code Unsupported when there are too many.
   */
  add(update: Omit<ItemUpdate, 'met'>): void {
    const key = keyOf(update.reference);
    if (this.#updates.has(key)) {
      return;
    }
    if (this.#updates.size >= this.#maximum) {
      throw new LifeboatError(
        `item action ${update.action} asks for more objects to be stored after its operations than the ${this.#maximum} that itemOperations.maximumItemsToUpdate allows`,
        {
          code: 'Unsupported',
          operation: 'backup',
          target: describeObject(update.reference),
        },
      );
    }
    this.#updates.set(key, { ...update, met: false });
  }

  /** Whether an object that is about to be stored has to wait. */
  holdsBack(reference: ObjectReference): boolean {
    const key = keyOf(reference);
    const update = this.#updates.get(key);
    if (update === undefined) {
      return false;
    }
    this.#updates.set(key, { ...update, met: true });
    return true;
  }
}

function keyOf(reference: ObjectReference): string {
  return `${groupResourceOf(reference)}/${reference.namespace ?? ''}/${reference.name}`;
}
