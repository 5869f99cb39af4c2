import { resourceListFile } from '../catalog/artifacts/resource-list.ts';
import { resultsOf } from '../catalog/artifacts/results.ts';
import {
  putCompressedRestoreArtifact,
  putRestore,
  putRestoreArtifact,
  putRestoreText,
} from '../catalog/restore-files.ts';
import type { RunLog } from '../catalog/run-log.ts';
import { messageOf } from '../errors.ts';
import { stringAt } from '../model/object-path.ts';
import { terminalPhase } from '../model/phase.ts';
import type { Restore } from '../model/restore.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import { unlessZero } from '../model/unless-zero.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { RestoreRecord } from './restore-record.ts';

/** The Restore in its terminal phase, with the counts that its status carries; counts of zero are left out, as Velero does. */
export function finishRestore(restore: Restore, record: RestoreRecord, completedAt: Date): Restore {
  const { errors, warnings, done, hooks } = record;
  const phases = record.operations.map((operation) => stringAt(operation, ['status', 'phase']));
  const { length: failed } = phases.filter((phase) => phase === 'Failed');
  const hooksFailed = hooks.filter(({ outcome }) => outcome === 'Failed').length;
  return {
    ...restore,
    status: {
      ...restore.status,
      phase: terminalPhase(errors),
      completionTimestamp: formatTimestamp(completedAt),
      progress: { totalItems: done, itemsRestored: done },
      ...unlessZero('warnings', warnings),
      ...unlessZero('errors', errors),
      ...unlessZero('restoreItemOperationsAttempted', phases.length),
      ...unlessZero('restoreItemOperationsCompleted', phases.length - failed),
      ...unlessZero('restoreItemOperationsFailed', failed),
      hookStatus: {
        ...unlessZero('hooksAttempted', hooks.length),
        ...unlessZero('hooksFailed', hooksFailed),
      },
    },
  };
}

/** Writes what the restore did beside the backups, as Velero does. A store that refuses it is a warning: the restore is done. */
export async function writeRestoreFiles({
  store,
  restore,
  record,
  log,
  signal,
}: {
  readonly store: ObjectStore;
  readonly restore: Restore;
  readonly record: RestoreRecord;
  readonly log: RunLog;
  readonly signal: AbortSignal | undefined;
}): Promise<void> {
  const { name } = restore.metadata;
  const options = { signal };
  try {
    await putRestore(store, restore, options);
    await putRestoreText(store, name, 'logs', log.text, options);
    await putRestoreArtifact(store, name, 'results', resultsOf(record.issues), options);
    const resourceList = await resourceListFile(record.outcomes);
    await putCompressedRestoreArtifact(store, name, 'resourceList', resourceList, options);
    await putRestoreArtifact(store, name, 'itemOperations', record.operations, options);
    await putRestoreArtifact(store, name, 'volumeInfo', record.volumes, options);
  } catch (error) {
    signal?.throwIfAborted();
    record.addIssue({
      severity: 'warning',
      reason: 'ResultsNotStored',
      message: `the results of the restore could not be written to ${store.location}: ${messageOf(error)}`,
    });
  }
}
