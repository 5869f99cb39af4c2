import { messageOf } from '../errors.ts';
import type { Issue } from '../model/issue.ts';
import type { JsonValue } from '../model/json.ts';
import { groupResourceOf, identifierOf, type ObjectReference } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { AfterCreation } from './after-creation.ts';
import { createStatusSelection } from './restored-status.ts';
import { retryConflicts } from './retry-conflicts.ts';
import type { TargetResources } from './target-resources.ts';
import { writeDeadline } from './write-deadline.ts';

/** What {@link createStatusRestorer} works with. */
export interface StatusRestorerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly resources: TargetResources;
  readonly restore: Restore;
}

/**
 * Gives objects that were just created the status they had, where `spec.restoreStatus` or their annotation asks for it: through the
 * status subresource, or in the object itself where its resource has none. A failure is a warning of the object.
 */
export function createStatusRestorer(options: StatusRestorerOptions): AfterCreation {
  const {
    resources,
    restore: { spec },
  } = options;
  const select = createStatusSelection(spec.restoreStatus ?? undefined, (name) =>
    resources.canonicalName(name),
  );
  return async ({ reference, itemFromBackup }, signal) => {
    const decision = select(groupResourceOf(reference), itemFromBackup);
    const { status } = itemFromBackup;
    if (decision.kind === 'refuse') {
      return [warning(reference, decision.message)];
    }
    if (decision.kind === 'leave' || status === undefined) {
      return [];
    }
    try {
      await putStatus(options, reference, status, signal);
      return [];
    } catch (error) {
      signal.throwIfAborted();
      return [warning(reference, `its status could not be restored: ${messageOf(error)}`)];
    }
  };
}

async function putStatus(
  { cluster, clock, resources }: StatusRestorerOptions,
  reference: ObjectReference,
  status: JsonValue,
  signal: AbortSignal,
): Promise<void> {
  const subresource = resources.hasStatus(reference) ? 'status' : undefined;
  // Replaces what a controller may have written meanwhile, as a whole.
  const operations = [{ op: 'add', path: '/status', value: status }];
  await retryConflicts(async () => {
    signal.throwIfAborted();
    using deadline = writeDeadline(clock);
    await cluster.patch(
      reference,
      { type: 'json', operations },
      { subresource, signal: deadline.signal },
    );
  });
}

function warning(reference: ObjectReference, message: string): Issue {
  return {
    severity: 'warning',
    reason: 'StatusNotRestored',
    message,
    object: identifierOf(reference),
  };
}
