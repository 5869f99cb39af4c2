import { LifeboatError } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import { describeObject, type ObjectReference } from '../model/kubernetes.ts';
import {
  ItemOperations,
  type ItemOperationsOptions,
  type OperationOrigin,
} from '../operations/item-operations.ts';
import { backupOperationEntry } from '../operations/operation-entry.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import type { BackupRecord } from './backup-record.ts';

/** What {@link createBackupOperations} works with. */
export interface BackupOperationsOptions
  extends Pick<
    ItemOperationsOptions,
    'clock' | 'logger' | 'onEvent' | 'pollIntervalMs' | 'signal'
  > {
  readonly backup: Backup;
  readonly record: BackupRecord;
}

/** Which action began an operation, and for which object. */
export interface BackupOperationOrigin extends OperationOrigin {
  readonly reference: ObjectReference;
}

/** Follows the operations of one backup, and writes down how they end. */
export function createBackupOperations(options: BackupOperationsOptions): ItemOperations {
  const { backup, record, clock, logger, onEvent, pollIntervalMs, signal } = options;
  return new ItemOperations({
    ...{ clock, logger, onEvent, pollIntervalMs, signal },
    timeout: backup.spec.itemOperationTimeout,
    onFailed: (error) => {
      const { message } = error;
      record.addError(error, new LifeboatError(message, { code: 'Unknown', operation: 'backup' }));
    },
    onEnded: (ended) => record.addOperation(backupOperationEntry(backup.metadata, ended)),
  });
}

/**
 * Cancels an operation that an action has begun for an object that is only read again.
 *
 * @throws {LifeboatError} code Unsupported, always.
 */
export async function refuseOperation(
  operations: ItemOperations,
  operation: ItemOperation,
  origin: BackupOperationOrigin,
): Promise<never> {
  await operations.cancel(operation, origin);
  const target = describeObject(origin.reference);
  throw new LifeboatError(
    `item action ${origin.action} began operation ${operation.id} on ${target}, which is only read again; an action must return no operation when its purpose is "update"`,
    { code: 'Unsupported', operation: 'backup', target },
  );
}
