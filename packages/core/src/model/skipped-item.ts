import type { ResourceIdentifier } from './kubernetes.ts';

/** An object that an item action keeps out of a backup. */
export interface SkippedItem extends ResourceIdentifier {
  /** Name of the item action. */
  readonly action: string;
  /** Why, as the action says. */
  readonly reason: string;
}
