import { messageOf } from '../errors.ts';
import { groupResourceOf, identifierOf } from '../model/kubernetes.ts';
import { objectsAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { AfterCreation } from './after-creation.ts';
import { writeDeadline } from './write-deadline.ts';

/** What {@link createManagedFieldsRestorer} works with. */
export interface ManagedFieldsRestorerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
}

// The controller that binds them makes nothing of a conflict and looks again 15 seconds later.
const leftAlone: ReadonlySet<string> = new Set(
  [Resources.persistentVolumeClaims, Resources.persistentVolumes].map(groupResourceOf),
);

/**
 * Gives objects that were just created the `managedFields` they had, which the API server does not take with a new object (velero:
 * what it does to every object that it creates). Claims and volumes excepted. A failure is a warning of the object.
 */
export function createManagedFieldsRestorer({
  cluster,
  clock,
}: ManagedFieldsRestorerOptions): AfterCreation {
  return async ({ reference, itemFromBackup }, signal) => {
    const managedFields = objectsAt(itemFromBackup, ['metadata', 'managedFields']);
    if (managedFields.length === 0 || leftAlone.has(groupResourceOf(reference))) {
      return [];
    }
    signal.throwIfAborted();
    using deadline = writeDeadline(clock);
    try {
      const patch = { metadata: { managedFields } };
      await cluster.patch(reference, { type: 'merge', patch }, { signal: deadline.signal });
      return [];
    } catch (error) {
      signal.throwIfAborted();
      return [
        {
          severity: 'warning',
          reason: 'ManagedFieldsNotRestored',
          message: `its managedFields could not be restored: ${messageOf(error)}`,
          object: identifierOf(reference),
        },
      ];
    }
  };
}
