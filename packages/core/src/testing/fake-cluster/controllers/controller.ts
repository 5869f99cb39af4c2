import type { TableChange } from '../object-table.ts';
import type { ControllerClient } from './controller-client.ts';

/** Says which work a change makes. */
export interface ControllerTrigger {
  /** The table that is watched; `*` for every one. */
  readonly table: string;
  /** The keys of the objects to look at again. */
  readonly keys: (change: TableChange, client: ControllerClient) => Iterable<string>;
}

/** How to go on after a look at an object. */
export interface Requeue {
  /** Look again after so many milliseconds, by the clock of the cluster. */
  readonly afterMs: number;
}

/**
 * A controller of the fake control plane. It is level-triggered: it compares the state of an object with what should be
 * and takes the next step; the change that this makes triggers the step after it.
 */
export interface Controller {
  /** Its name as field manager and as the source of Events. */
  readonly name: string;
  readonly triggers: readonly ControllerTrigger[];
  /** Looks at one object. Never called twice at a time for one key. */
  reconcile(key: string, client: ControllerClient): Promise<Requeue | undefined>;
}

/** A trigger for the objects of a table themselves. */
export function ownKeys(table: string): ControllerTrigger {
  return {
    table,
    keys: ({ object: { metadata } }) => [
      metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`,
    ],
  };
}
